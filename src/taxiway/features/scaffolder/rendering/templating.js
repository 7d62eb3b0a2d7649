// What Backstage adds to its template engine, and the two ways in which the scaffolder renders. Appended to the engine's
// module by rendering/worker.py, so that `createTemplateRenderer` is in scope. `answer` takes and gives JSON text.

// The engine allows more, but is many times slower here than in the runtimes that it was made for.
const LIMITS = { limits: { workUnits: 300_000, outputCodeUnits: 8 * 1024 * 1024 } };
const PICKED = /[^.[\]]+/g;

const text = (value, filter) => {
  if (typeof value !== 'string') throw new TypeError(`${filter} needs a string`);
  return value;
};

const decoded = (part) => decodeURIComponent(part.replaceAll('+', ' '));

function parseRepoUrl(input) {
  const [host, query = ''] = text(input, 'parseRepoUrl').split(/\?(.*)/s);
  if (!/^[\w.-]+(:\d+)?$/.test(host)) throw new TypeError(`'${input}' is no repository URL: it begins with a host`);
  const given = Object.fromEntries(
    query.split('&').filter(Boolean).map((pair) => pair.split(/=(.*)/s)).map(([key, value = '']) => [decoded(key), decoded(value)]),
  );
  const needed = host === 'github.com' ? ['owner', 'repo'] : given.project === undefined ? ['repo'] : [];
  const missing = needed.filter((key) => given[key] === undefined);
  if (missing.length > 0) throw new TypeError(`'${input}' does not say the ${missing.join(' and the ')}`);
  const known = ['owner', 'organization', 'workspace', 'project', 'repo'].filter((key) => given[key] !== undefined);
  return { host, ...Object.fromEntries(known.map((key) => [key, given[key]])) };
}

function parseEntityRef(input, context = {}) {
  const source = text(input, 'parseEntityRef');
  let colon = source.indexOf(':');
  const slash = source.indexOf('/');
  if (slash !== -1 && slash < colon) colon = -1;
  const rest = source.slice(colon + 1);
  const cut = rest.indexOf('/');
  const kind = colon === -1 ? context.defaultKind : source.slice(0, colon);
  const namespace = cut === -1 ? (context.defaultNamespace ?? 'default') : rest.slice(0, cut);
  const name = rest.slice(cut + 1);
  if (!kind || !namespace || !name) throw new TypeError(`'${source}' is no entity reference with a kind`);
  return { kind, namespace, name };
}

function pick(input, path) {
  let found = input;
  for (const key of Array.isArray(path) ? path : (String(path).match(PICKED) ?? [])) {
    if (found === null || found === undefined || !Object.hasOwn(Object(found), key)) return undefined;
    found = found[key];
  }
  return found;
}

// Most files and values have nothing to render; asking the engine about them is the larger part of a template's time.
const MARKS = /\{[{%#]|[%#}]\}/;

const state = { failed: false };

const EXTENSIONS = {
  filters: {
    parseRepoUrl,
    parseEntityRef,
    pick,
    projectSlug: (input) => {
      const { owner, repo } = parseRepoUrl(input);
      return `${owner}/${repo}`;
    },
  },
  globals: { always: () => true, failure: () => state.failed },
  allowRegexExecution: true,
};

const renderers = new Map();

function rendererOf({ trimBlocks = false, lstripBlocks = false, cookiecutterCompat = false } = {}) {
  const key = `${trimBlocks}${lstripBlocks}${cookiecutterCompat}`;
  if (!renderers.has(key)) {
    renderers.set(key, createTemplateRenderer({ ...EXTENSIONS, trimBlocks, lstripBlocks, cookiecutterCompat }));
  }
  return renderers.get(key);
}

class At extends Error {
  constructor(at, error) {
    super(String(error?.message ?? error));
    this.at = at;
    this.syntax = error?.code === 'syntax_error';
  }
}

// Keys stay as they are; what renders to undefined is left out, as JSON leaves it out. `lenient` keeps the raw text of
// what cannot be rendered.
function valueOf(value, render, lenient, at) {
  if (typeof value === 'string') {
    try {
      return render(value);
    } catch (error) {
      if (lenient) return value;
      throw new At(at, error);
    }
  }
  if (Array.isArray(value)) return value.map((item, index) => valueOf(item, render, lenient, `${at}/${index}`));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, valueOf(item, render, lenient, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)])
      .filter(([, item]) => item !== undefined),
  );
}

function filesOf(files, render, most) {
  let left = most;
  return files.map(([path, content]) => {
    try {
      const name = render(path);
      const body = content === null ? null : render(content);
      left -= body?.length ?? 0;
      if (left < 0) throw new RangeError('the rendered files are larger than the limit');
      return [name, body];
    } catch (error) {
      throw new At(path, error);
    }
  });
}

const OTHER = {
  outline: ({ texts }) => texts.map(({ text, options }) => outlineOf(text, options)),
  decide: ({ texts, contexts, options }) =>
    decide(texts, contexts, (source, context) => rendererOf(options).renderValue(source, context, LIMITS)),
  filters: () => knownFilters(),
};

globalThis.answer = (request) => {
  const asked = JSON.parse(request);
  const { op, value, files, context, options, failed, lenient, most } = asked;
  if (op !== 'value' && op !== 'files' && !Object.hasOwn(OTHER, op)) return null; // the worker's own
  try {
    state.failed = failed === true;
    if (Object.hasOwn(OTHER, op)) return JSON.stringify({ value: OTHER[op](asked) });
    const renderer = rendererOf(options);
    const prepared = renderer.prepareContext(context);
    const result =
      op === 'value'
        ? valueOf(value, (source) => (MARKS.test(source) ? renderer.renderValue(source, prepared, LIMITS) : source), lenient === true, '')
        : filesOf(files, (source) => (MARKS.test(source) ? renderer.render(source, prepared, LIMITS) : source), most);
    return JSON.stringify({ value: result === undefined ? null : result });
  } catch (error) {
    return JSON.stringify({ error: { message: String(error?.message ?? error), at: error?.at ?? '', syntax: error?.syntax === true } });
  }
};
