// What the chat is made of, without a browser: the parser of event streams, and what an answer's text is made of.

import assert from 'node:assert/strict';
import {test} from 'node:test';

const page = new URL('../../src/web/page/', import.meta.url);
const {events} = await import(new URL('sse.js', page));
const {answerParts} = await import(new URL('chat-parts.js', page));

/** The events of a body that comes in these pieces; strings, or bytes. */
async function read(...pieces) {
  const body = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece);
      controller.close();
    },
  });
  const read = [];
  for await (const event of events(new Response(body))) read.push(event);
  return read;
}

const message = (id, data) => ({id, type: 'message', data});

test('an event has the id and the data that were sent', async () => {
  assert.deepEqual(await read('id: a:1\ndata: {"x":1}\n\n'), [message('a:1', '{"x":1}')]);
});

test('events are the same wherever the stream is cut into pieces', async () => {
  const text = 'id: a:1\r\ndata: ¡Hola!\r\n\r\nid: a:2\rdata: ñ\rdata: 2\r\r: still here\n\nevent: shutdown\nretry: 1000\ndata: {}\n\n';
  const bytes = new TextEncoder().encode(text);
  const whole = [message('a:1', '¡Hola!'), message('a:2', 'ñ\n2'), {id: 'a:2', type: 'shutdown', data: '{}'}];
  for (let cut = 0; cut <= bytes.length; ++cut)
    assert.deepEqual(await read(bytes.slice(0, cut), bytes.slice(cut)), whole, `cut at ${cut}`);
});

test('an event without its empty line never came', async () => {
  assert.deepEqual(await read('id: a:1\ndata: whole\n\nid: a:2\ndata: cut'), [message('a:1', 'whole')]);
});

test('comments and events without data are no events', async () => {
  assert.deepEqual(await read(': still here\n\nid: a:1\n\ndata:  x\n\n'), [message('a:1', ' x')]);
});

test('a stream that falls silent is broken', async () => {
  let isCancelled = false;
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
    cancel: () => { isCancelled = true; },
  });
  const read = [];
  await assert.rejects(async () => {
    for await (const event of events(new Response(body), 10)) read.push(event.data);
  }, /silent/);
  assert.deepEqual(read, ['1']);
  await new Promise(setImmediate);
  assert.ok(isCancelled);
});

test('who stops reading ends the stream', async () => {
  let isCancelled = false;
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
    cancel: () => { isCancelled = true; },
  });
  for await (const event of events(new Response(body))) {
    assert.equal(event.data, '1');
    break;
  }
  await new Promise(setImmediate);
  assert.ok(isCancelled);
});

const [first, second] = [{name: 'Dell G15 5530'}, {name: 'Acer Nitro 5'}];
const list = '1. Dell G15 5530\n   Marca: Dell\n   Precio: $1.499,00\n\n2. Acer Nitro 5\n   Precio: $1.149,00\n';

test('the list of products is cards, between what is said before and after it', () => {
  assert.deepEqual(answerParts(`Encontré 2 productos:\n\n${list}\nHay más.`, [first, second]),
    [{text: 'Encontré 2 productos:'}, {products: true}, {text: 'Hay más.'}]);
});

test('a list that is not of the products stays text beside the cards', () => {
  const text = `Encontré 2 productos:\n\n${list}`.trim();
  assert.deepEqual(answerParts(text, [first, second, {name: 'HP Victus'}]), [{text: text.replaceAll('   ', '')}, {products: true}]);
  assert.deepEqual(answerParts(text, [first]).map((part) => Object.keys(part)[0]), ['text', 'products', 'text']);
});

test('what an LLM says of each product stays', () => {
  for (const text of ['1. Dell G15 5530: la más rápida.', '1. La Dell, rápida.\n2. La Acer, barata.', '1. La Dell.\n\n2. La Acer.'])
    assert.equal(answerParts(text, [first, second]).filter((part) => part.text).map((part) => part.text).join('\n\n'), text);
});

test('products that the text does not list come after it', () => {
  assert.deepEqual(answerParts('Sí: hay 7.', [first]), [{text: 'Sí: hay 7.'}, {products: true}]);
  assert.deepEqual(answerParts('¡Hola!\n\n\n¿Qué busca?', []), [{text: '¡Hola!'}, {text: '¿Qué busca?'}]);
});

test('a comparison is a table, with its columns where the rule is', () => {
  const table = '            Dell G15        Acer 😀 5\n'
    + '----------  --------------  ---------\n'
    + 'Precio      $1.499,00       $1.149,00\n'
    + 'Pantalla    15,6" Full  HD\n'
    + 'Categoría   laptops         laptops\n';
  assert.deepEqual(answerParts(`${table}\nEl más barato es Acer.`, []), [
    {table: {head: ['', 'Dell G15', 'Acer 😀 5'],
      rows: [['Precio', '$1.499,00', '$1.149,00'], ['Pantalla', '15,6" Full  HD', ''], ['Categoría', 'laptops', 'laptops']]}},
    {text: 'El más barato es Acer.'},
  ]);
});

test('dashes alone make no table', () => {
  for (const text of ['Por categoría:\n- Monitores (3)', 'a\n---\nb', '--  --']) assert.deepEqual(answerParts(text, []), [{text}]);
});
