// One JSONata expression on one value. Evaluated by rendering/worker.py behind the package's own file, in an interpreter of
// its own: an expression that gets at the language's objects leaves nothing behind for the next one. The package works in
// promises, so `begin` starts it, and `settled` gives the answer once no job is left.

const LIMITS = { timeout: 5_000, stack: 10_000 };
let answered = null;

const failed = (error) => {
  const at = Number.isInteger(error?.position) ? `character ${error.position}` : '';
  return JSON.stringify({ error: { message: String(error?.message ?? error), at, syntax: /^S0/.test(error?.code ?? '') } });
};

// What is nothing is left out, as JSON leaves it out.
const evaluated = async ({ expression, data }) =>
  JSON.stringify({ value: { result: await jsonata(expression, LIMITS).evaluate(data) } });

globalThis.begin = (request) => {
  evaluated(JSON.parse(request)).then(
    (text) => {
      answered = text;
    },
    (error) => {
      answered = failed(error);
    },
  );
};

globalThis.settled = () => answered;
