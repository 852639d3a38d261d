// What an answer's plain text is made of.

/**
 * Its parts, in their order: {text}, {table: {head, rows}}, and {products: true} in the place of the list that decant
 * writes of `products`, to be shown as cards. What an LLM says about them stays, and the cards come after it.
 */
export function answerParts(text, products) {
  const parts = [];
  let listed = 0;
  for (const paragraph of text.split(/\n{2,}/)) {
    const table = tableOf(paragraph);
    if (table) {
      parts.push({table});
    } else if (listed < products.length && isItem(paragraph, listed + 1)) {
      if (listed === 0) parts.push({products: true});
      listed += 1;
    } else if (paragraph.trim()) {
      parts.push({text: unindented(paragraph)});
    }
  }
  if (listed > 0 && listed < products.length) return [{text: unindented(text)}, {products: true}];
  if (listed === 0 && products.length) parts.push({products: true});
  return parts;
}

/** "2. NAME" with its facts indented below it, as only decant's own list has them. */
const isItem = (paragraph, place) => paragraph.startsWith(`${place}. `) && /^[^\n]+(\n {3}[^\n]+)+\n?$/.test(paragraph);

const unindented = (text) => text.replace(/^ +/gm, '').trim();

/** Of a text table, whose second line rules off its columns: "----------  -----". Widths are counted in code points. */
function tableOf(paragraph) {
  const lines = paragraph.replace(/^\n|\n$/g, '').split('\n');
  if (!/^-+( {2}-+)+$/.test(lines[1] ?? '')) return null;
  const columns = [...lines[1].matchAll(/-+/g)].map(({index, 0: rule}) => [index, index + rule.length]);
  const [head, , ...rows] = lines.map((line) => {
    const characters = [...line];
    return columns.map(([from, to]) => characters.slice(from, to).join('').trim());
  });
  return {head, rows};
}
