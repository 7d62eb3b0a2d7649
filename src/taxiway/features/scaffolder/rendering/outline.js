// What a template refers to, for lint and for the coverage of tests: paths, filters, functions, and conditions with the
// way to them. Appended to the engine's module by worker.py, so that its parser is in scope; nothing is rendered here.

const PARSER = { astNodes: 200_000, nestingDepth: 256 };

const literal = (value) => {
  if (value === null || value === undefined) return 'none';
  return typeof value === 'object' ? `r${value.source}${value.flags}` : JSON.stringify(value);
};

const listed = (nodes) => nodes.map(written).join(', ');
const binary = (sign) => (node) => `(${written(node.left)} ${sign} ${written(node.right)})`;

// An expression as text again, in brackets, so that it can be put into another one.
const WRITERS = {
  Symbol: (node) => node.value,
  Literal: (node) => literal(node.value),
  LookupVal: (node) => `${written(node.target)}[${written(node.val)}]`,
  Slice: (node) => [node.start, node.stop, node.step].map(written).join(':'),
  FunCall: (node) => `${written(node.name)}(${listed(node.args.children)})`,
  Filter: ({ name, args: { children } }) =>
    `(${written(children[0])} | ${name.value}${children.length > 1 ? `(${listed(children.slice(1))})` : ''})`,
  KeywordArgs: (node) => node.children.map((pair) => `${pair.key.value}=${written(pair.value)}`).join(', '),
  Is: (node) => `(${written(node.left)} is ${written(node.right)})`,
  Compare: (node) => `(${written(node.expr)}${node.ops.map((op) => ` ${op.operator} ${written(op.expr)}`).join('')})`,
  Not: (node) => `(not ${written(node.target)})`,
  Neg: (node) => `(-${written(node.target)})`,
  Pos: (node) => `(+${written(node.target)})`,
  InlineIf: (node) => `(${written(node.body)} if ${written(node.cond)}${node.else_ ? ` else ${written(node.else_)}` : ''})`,
  Group: (node) => `(${listed(node.children)})`,
  Array: (node) => `[${listed(node.children)}]`,
  Dict: (node) => `{${node.children.map((pair) => `${literal(pair.key.value)}: ${written(pair.value)}`).join(', ')}}`,
  And: binary('and'),
  Or: binary('or'),
  In: binary('in'),
  Add: binary('+'),
  Sub: binary('-'),
  Mul: binary('*'),
  Div: binary('/'),
  Mod: binary('%'),
  Pow: binary('**'),
  Concat: binary('~'),
};

function written(node) {
  const write = WRITERS[node.type];
  if (write === undefined) throw new TypeError(`cannot write ${node.type}`);
  return write(node);
}

const source = (node) => {
  try {
    return written(node);
  } catch {
    return null;
  }
};

// The path that a chain of lookups with constant keys names, or null where it does not begin with a name.
function pathOf(node) {
  if (node.type === 'Symbol') return { path: [node.value], dynamic: [] };
  if (node.type === 'Group' && node.children.length === 1) return pathOf(node.children[0]);
  if (node.type !== 'LookupVal') return null;
  const found = pathOf(node.target);
  if (found === null) return null;
  const isConstant = node.val.type === 'Literal' && found.dynamic.length === 0;
  return isConstant
    ? { path: [...found.path, String(node.val.value)], dynamic: [] }
    : { path: found.path, dynamic: [...found.dynamic, node.val] };
}

// Whether a condition asks of names only what their truth, or a comparison with a constant, says.
function isPlain(node) {
  if (node === undefined || node.type === 'Literal') return true;
  if (node.type === 'Group') return node.children.length === 1 && isPlain(node.children[0]);
  if (node.type === 'And' || node.type === 'Or') return isPlain(node.left) && isPlain(node.right);
  if (node.type === 'Not') return isPlain(node.target);
  if (node.type === 'Compare') {
    const equal = ({ operator }) => ['==', '===', '!=', '!=='].includes(operator);
    return isPlain(node.expr) && node.ops.every((op) => equal(op) && op.expr.type === 'Literal');
  }
  const found = pathOf(node);
  return found !== null && found.dynamic.length === 0;
}

class Outline {
  constructor() {
    this.paths = [];
    this.filters = [];
    this.calls = [];
    this.literals = [];
    this.conditions = [];
  }

  visit(node, scope, given) {
    if (node === undefined || node === null) return;
    const visitor = this[node.type];
    if (visitor !== undefined) visitor.call(this, node, scope, given);
    else this.children(node, scope, given);
  }

  children(node, scope, given) {
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) if (isAstNode(child)) this.visit(child, scope, given);
    }
  }

  path(node, scope, given, isCalled = false) {
    const found = pathOf(node);
    if (found === null) return this.children(node, scope, given);
    for (const key of found.dynamic) this.visit(key, scope, given);
    const [root] = found.path;
    const path = isCalled && found.dynamic.length === 0 ? found.path.slice(0, -1) : found.path;
    if (!scope.has(root)) this.paths.push({ path, line: node.line + 1, whole: found.dynamic.length > 0 });
  }

  Symbol(node, scope, given) {
    this.path(node, scope, given);
  }

  LookupVal(node, scope, given) {
    this.path(node, scope, given);
  }

  Literal(node) {
    if (node.value === null || typeof node.value !== 'object') this.literals.push(node.value ?? null);
  }

  FunCall(node, scope, given) {
    if (node.name.type === 'Symbol') {
      if (!scope.has(node.name.value)) this.calls.push({ name: node.name.value, line: node.line + 1 });
    } else if (node.name.type === 'LookupVal') this.path(node.name, scope, given, true);
    else this.visit(node.name, scope, given);
    this.visit(node.args, scope, given);
  }

  Filter(node, scope, given) {
    this.filters.push({ name: node.name.value, line: node.name.line + 1 });
    this.visit(node.args, scope, given);
  }

  Is(node, scope, given) {
    this.visit(node.left, scope, given);
    if (node.right.type === 'FunCall') this.visit(node.right.args, scope, given);
  }

  Pair(node, scope, given) {
    this.visit(node.value, scope, given);
  }

  condition(node, text, scope, given, tag) {
    const inside = new Outline();
    inside.visit(node, new Set(), []);
    const scoped = inside.paths.some(({ path }) => scope.has(path[0])) || inside.calls.some(({ name }) => scope.has(name));
    const { paths, literals, calls } = inside;
    const step = { test: text, scoped: scoped || text === null, plain: isPlain(node), paths: paths.map(({ path }) => path), literals, calls: calls.map(({ name }) => name) };
    this.conditions.push({ ...step, line: node.line + 1, tag, given });
    return (wanted) => [...given, { ...step, wanted }];
  }

  branches(node, scope, given, tag) {
    this.visit(node.cond, scope, given);
    const way = this.condition(node.cond, source(node.cond), scope, given, tag);
    this.visit(node.body, scope, way(true));
    if (node.else_?.type === 'If') this.branches(node.else_, scope, way(false), 'elif');
    else this.visit(node.else_, scope, way(false));
  }

  If(node, scope, given) {
    this.branches(node, scope, given, 'if');
  }

  InlineIf(node, scope, given) {
    this.branches(node, scope, given, 'inline if');
  }

  Switch(node, scope, given) {
    this.visit(node.expr, scope, given);
    let before = given;
    for (const part of node.cases) {
      const test = { type: 'Compare', line: part.line, column: 0, expr: node.expr, ops: [{ type: 'CompareOperand', line: part.line, column: 0, operator: '===', expr: part.cond }] };
      const way = this.condition(test, source(test), scope, before, 'case');
      this.visit(part.body, scope, way(true));
      before = way(false);
    }
    this.visit(node.default, scope, before);
  }

  For(node, scope, given) {
    this.visit(node.arr, scope, given);
    const names = node.name.type === 'Array' ? node.name.children : [node.name];
    this.visit(node.body, new Set([...scope, 'loop', ...names.map(({ value }) => value)]), given);
    this.visit(node.else_, scope, given);
  }

  Set(node, scope, given) {
    this.visit(node.value, scope, given);
    this.visit(node.body, scope, given);
    for (const target of node.targets) scope.add(target.value);
  }

  signature(args, scope, given) {
    const names = [];
    for (const child of args.children) {
      if (child.type === 'Symbol') names.push(child.value);
      else for (const pair of child.children) {
        this.visit(pair.value, scope, given);
        names.push(pair.key.value);
      }
    }
    return new Set([...scope, ...names, 'caller', 'varargs', 'kwargs']);
  }

  Macro(node, scope, given) {
    scope.add(node.name.value);
    this.visit(node.body, this.signature(node.args, scope, given), given);
  }

  CallBlock(node, scope, given) {
    this.visit(node.call, scope, given);
    this.visit(node.caller.body, this.signature(node.caller.args, scope, given), given);
  }

  Block(node, scope, given) {
    this.visit(node.body, scope, given);
  }
}

function outlineOf(text, { trimBlocks = false, lstripBlocks = false, cookiecutterCompat = false } = {}) {
  if (!MARKS.test(text)) return {};
  const outline = new Outline();
  try {
    outline.visit(parseTemplate(text, { ...PARSER, trimBlocks, lstripBlocks, cookiecutterCompat }), new Set(), []);
  } catch (error) {
    return { error: { message: String(error?.message ?? error), line: (error?.line ?? -1) + 1 || null } };
  }
  return { ...outline };
}

// Each text in each context: its value, or null with the reason why there is none.
function decide(texts, contexts, render) {
  return texts.map((text, at) =>
    contexts[at].map((context) => {
      try {
        return { value: render(text, context) ?? null };
      } catch (error) {
        return { error: String(error?.message ?? error) };
      }
    }),
  );
}

const knownFilters = () => [...builtinFilterNames, ...Object.keys(EXTENSIONS.filters)].sort();
