// What the engine makes of a template's text is kept: a plan, its run, and every service of a path render the same texts
// with other answers, and reading a text takes ten times as long as rendering it. Syntax trees and the plans of their
// variables are frozen; both depend on nothing but the text and the options of the parser. Appended to the engine's
// module by rendering/worker.py, so that its functions can be put behind ours.

const KEPT = { characters: 256 * 1024, each: 64 * 1024 };

const trees = new Map();
const variables = new WeakMap();
let characters = 0;

const parseAnew = parseTemplate;
const planAnew = planLexicalSlots;

// The oldest go first; a text that is asked for again counts as new.
function keep(key, tree) {
  trees.set(key, tree);
  characters += key.length;
  for (const oldest of trees.keys()) {
    if (characters <= KEPT.characters) return;
    trees.delete(oldest);
    characters -= oldest.length;
  }
}

parseTemplate = (source, options) => {
  if (source.length > KEPT.each) return parseAnew(source, options);
  const key = `${JSON.stringify(options)}${source}`;
  const known = trees.get(key);
  if (known !== undefined) {
    trees.delete(key);
    trees.set(key, known);
    return known;
  }
  const tree = parseAnew(source, options);
  keep(key, tree);
  return tree;
};

planLexicalSlots = (tree, most) => {
  const known = variables.get(tree);
  if (known?.most === most) return known.plan;
  const plan = planAnew(tree, most);
  variables.set(tree, { most, plan });
  return plan;
};
