// The chat, with an LLM that speaks when a test lets it.

import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {eventually, failedLoads} from './support/browser.mjs';
import {Ollama, gate} from './support/ollama.mjs';
import {problem} from './support/proxy.mjs';
import {site} from './support/site.mjs';

const llm = await new Ollama().up();
const web = site({server: {env: llm.settings}, hasProxy: true});
after(() => llm.down());

const spanish = {box: 'Pregunte por los productos', send: 'Enviar', stop: 'Detener', conversation: 'Conversación'};
const turns = (page) => page.getByRole('list', {name: spanish.conversation}).locator(':scope > li');
const answer = (page) => turns(page).last();
const stored = (page) => web.server.sql(`SELECT count(*) FROM decant.chat_messages`);
const isStream = ({url}) => url.endsWith('/chat/message/stream');

async function openChat(options = {}) {
  return web.open({language: 'es', path: '/#/chat', ...options});
}

async function say(page, text) {
  const box = page.getByRole('textbox', {name: spanish.box});
  await box.fill(text);
  await box.press('Enter');
}

/** The LLM says the pieces; before each but the first a gate is waited at. */
function speak(...pieces) {
  const gates = pieces.slice(1).map(() => gate());
  llm.answer = async function* () {
    for (const [place, piece] of pieces.entries()) {
      if (place > 0) await gates[place - 1].opened;
      yield piece;
    }
  };
  return gates;
}

const isDone = (page) => eventually(() => answer(page).getAttribute('aria-busy'), (busy) => busy === 'false');

test('an answer appears while it is written, with the products found', async () => {
  const [more] = speak('Le puede servir la Acer Nitro 5.\n', 'Dígame si necesita otra cosa.\n');
  const page = await openChat();
  await say(page, 'Busco una notebook gamer hasta 1500');
  await answer(page).getByText('Le puede servir la Acer Nitro 5.').waitFor();
  assert.equal(await answer(page).getAttribute('aria-busy'), 'true');
  assert.equal(await answer(page).getByText('Dígame si necesita otra cosa.').count(), 0);
  await page.getByRole('button', {name: spanish.stop}).waitFor();
  more.open();
  await answer(page).getByText('Dígame si necesita otra cosa.').waitFor();
  await isDone(page);
  await answer(page).getByRole('article').filter({hasText: 'Dell G15 5530'}).waitFor();
  await page.getByRole('button', {name: spanish.send}).waitFor();
  assert.equal(await page.getByRole('textbox', {name: spanish.box}).inputValue(), '');
});

test('an answer can be stopped, and asked for again', async () => {
  speak('Un momento, por favor.\n', 'Nunca se oye.\n');
  const page = await openChat();
  await say(page, 'Busco un monitor');
  await answer(page).getByText('Un momento, por favor.').waitFor();
  const before = llm.left;
  await page.getByRole('button', {name: spanish.stop}).click();
  await answer(page).getByText('Detenida.').waitFor();
  await eventually(() => llm.left, (left) => left > before);
  speak('Le puede servir el Dell S2721D.\n');
  await answer(page).getByRole('button', {name: 'Preguntar de nuevo'}).click();
  await isDone(page);
  assert.match(await answer(page).textContent(), /Le puede servir el Dell S2721D\./);
  assert.equal(await turns(page).count(), 2);
});

test('a rating with a comment is stored with the answer\'s run', async () => {
  speak('Le puede servir el Dell S2721D.\n');
  const page = await openChat();
  await say(page, 'Busco un monitor');
  await isDone(page);
  await answer(page).getByRole('button', {name: 'Mala respuesta'}).click();
  await answer(page).getByRole('status').filter({hasText: 'Anotado, gracias.'}).waitFor();
  await answer(page).getByRole('textbox', {name: '¿Qué estuvo mal? (opcional)'}).fill('demasiado caros');
  await page.keyboard.press('Enter');
  const rows = await eventually(() => web.server.sql("SELECT score, comment, subject, length(subject_id) > 0 FROM decant.feedback WHERE comment IS NOT NULL"), (text) => text.trim() !== '');
  assert.equal(rows.trim(), '0|demasiado caros|run|t');
  await answer(page).getByRole('button', {name: 'Buena respuesta'}).click();
  await eventually(() => web.server.sql('SELECT max(score) FROM decant.feedback'), (text) => text.trim() === '1');
  assert.equal(await answer(page).getByRole('button', {name: 'Buena respuesta'}).getAttribute('aria-pressed'), 'true');
  await page.reload();
  assert.equal(await answer(page).getByRole('button', {name: 'Buena respuesta'}).getAttribute('aria-pressed'), 'true');
});

test('what has the focus is not under the composer', async () => {
  speak('Le puede servir el Dell S2721D.\n');
  const page = await openChat({width: 320, height: 640});
  await say(page, 'Busco un monitor');
  await isDone(page);
  await answer(page).getByRole('button', {name: 'Mala respuesta'}).click();
  const comment = answer(page).getByRole('textbox', {name: '¿Qué estuvo mal? (opcional)'});
  await eventually(() => comment.evaluate((node) => {
    const {left, right, top, bottom} = node.getBoundingClientRect();
    return node === document.activeElement && [top + 2, bottom - 2].every((y) => document.elementFromPoint((left + right) / 2, y) === node);
  }));
});

test('the conversation outlives a reload, and the server remembers it', async () => {
  speak('Le puede servir el Dell S2721D.\n');
  const page = await openChat();
  await say(page, 'Busco un monitor');
  await isDone(page);
  await page.reload();
  await answer(page).getByText('Le puede servir el Dell S2721D.').waitFor();
  assert.equal(await turns(page).count(), 2);
  await answer(page).getByRole('article').first().waitFor();
  await say(page, '¿Cuánto cuesta el primero?');
  await isDone(page);
  assert.equal(await turns(page).count(), 4);
});

test('an answer that is under way at a reload is there in the end', async () => {
  const [more] = speak('Un momento, por favor.\n', 'Le puede servir el Dell S2721D.\n');
  const page = await openChat();
  await say(page, 'Busco un monitor');
  await answer(page).getByText('Un momento, por favor.').waitFor();
  await page.reload();
  more.open();
  await isDone(page);
  assert.match(await answer(page).textContent(), /Le puede servir el Dell S2721D\./);
  assert.equal(await turns(page).count(), 2);
});

const streams = () => web.proxy.calls.filter((call) => call.endsWith('/stream')).length;

/** The first stream of the page breaks off in its first piece; a browser forgets what came just before and was not read. */
function cutOnce(page, rule) {
  let cuts = 0;
  const once = () => answer(page).locator('.step').filter({hasNotText: 'Leyendo'}).waitFor();
  web.proxy.rule = (request) => (isStream(request) && cuts++ === 0 ? {cut: 'Un momento', once, ...rule} : undefined);
}

test('an answer whose connection breaks goes on after the last event', async () => {
  speak('Un momento, por favor.\n', 'Le puede servir el Dell S2721D.\n')[0].open();
  const page = await openChat();
  cutOnce(page, {isLeft: false});
  page.allowed = failedLoads;
  await say(page, 'Busco un monitor');
  await isDone(page);
  assert.match(await answer(page).textContent(), /Le puede servir el Dell S2721D\./);
  assert.equal(streams(), 2);
  assert.equal(await turns(page).count(), 2);
});

test('an answer that ended with its connection is asked for again', async () => {
  speak('Un momento, por favor.\n', 'Nunca se oye.\n');
  const page = await openChat();
  cutOnce(page, {isLeft: true});
  page.allowed = failedLoads;
  await say(page, 'Busco un monitor');
  await eventually(streams, (count) => count === 2);
  speak('Le puede servir el Dell S2721D.\n');
  await isDone(page);
  assert.match(await answer(page).textContent(), /Le puede servir el Dell S2721D\./);
  assert.equal(streams(), 3);
  assert.equal(await turns(page).count(), 2);
});

for (const [status, code, title] of [
  [503, 'store_unavailable', 'El servidor no puede responder ahora'],
  [429, 'rate_limited', 'Demasiados pedidos en este minuto'],
  [403, 'permission_denied', 'Esta clave no lo permite'],
]) {
  test(`an answer that is refused with ${status} tells why and can be tried again`, async () => {
    speak('Le puede servir el Dell S2721D.\n');
    web.proxy.rule = (request) => (isStream(request) ? problem(status, code, {headers: {'Retry-After': '30'}}) : undefined);
    const page = await openChat();
    page.allowed = failedLoads;
    await say(page, 'Busco un monitor');
    await answer(page).getByRole('alert').getByRole('heading', {name: title}).waitFor();
    web.proxy.rule = () => undefined;
    await answer(page).getByRole('button', {name: 'Reintentar'}).click();
    await eventually(async () => (await answer(page).textContent()).includes('Le puede servir el Dell S2721D.'));
  });
}

test('a server that is down is told of', async () => {
  const page = await openChat();
  page.allowed = failedLoads;
  await page.getByRole('textbox', {name: spanish.box}).waitFor();
  await web.proxy.down();
  try {
    await say(page, 'Busco un monitor');
    await answer(page).getByRole('alert').getByRole('heading', {name: 'El servidor no responde'}).waitFor();
  } finally {
    await web.proxy.up();
  }
});

test('a new conversation removes the old one from the server', async () => {
  speak('Le puede servir el Dell S2721D.\n');
  const page = await openChat();
  await say(page, 'Busco un monitor');
  await isDone(page);
  const before = Number(await stored());
  await page.getByRole('button', {name: 'Nueva conversación'}).click();
  await eventually(() => turns(page).count(), (count) => count === 0);
  await eventually(async () => Number(await stored()), (count) => count < before);
  await page.reload();
  assert.equal(await turns(page).count(), 0);
});

test('answers in English to who asks in English, also without an LLM', async () => {
  llm.answer = async function* () { throw new Error('away'); };
  const page = await openChat();
  await say(page, 'Which monitors are in stock?');
  await isDone(page);
  await answer(page).getByRole('article').first().waitFor();
  assert.doesNotMatch(await answer(page).locator('.said').first().textContent(), /Encontr|producto/i);
});

test('"similar" on a card of an answer leads to the search', async () => {
  speak('Tengo la Dell G15 5530.\n');
  const page = await openChat();
  await say(page, 'Busco la notebook Dell G15 5530');
  await isDone(page);
  await answer(page).getByRole('button', {name: 'Productos similares a Dell G15 5530'}).click();
  await page.getByRole('list', {name: 'Similares a Dell G15 5530'}).waitFor();
});
