// <decant-chat>: answers as they are written, with product cards; goes on after a reload or a broken connection.

import {ApiError, call, send} from './api.js';
import {answerParts} from './chat-parts.js';
import {begun, loadConversation, newConversation, saveConversation} from './chat-store.js';
import {t} from './chat-text.js';
import {tellChoice} from './choice.js';
import {el, icon, replace, styleSheet} from './dom.js';
import {explain, failure} from './notice.js';
import {productCard} from './product.js';
import {events} from './sse.js';

const reconnectWaits = [300, 1000, 3000, 8000];
const nearEnd = 120;
const mostCharacters = 5000;
/** Codes of failures that pass by themselves. */
const passing = /^busy$|unavailable|overloaded|timed_out/;

class ChatView extends HTMLElement {
  #conversation = loadConversation();
  #asked = null;  // of the answer under way
  #nodes = new Map();
  #listening = new AbortController();

  connectedCallback() {
    const {signal} = this.#listening;
    addEventListener('pagehide', () => this.#leave(), {signal});
    addEventListener('pageshow', ({persisted}) => persisted && this.#goOn(), {signal});
    this.#build();
    for (const turn of this.#conversation.turns) this.#append(turn);
    this.#drawEmpty();
    this.#toEnd();
    this.#goOn();
  }

  disconnectedCallback() {
    this.#listening.abort();
    this.#leave();
  }

  /** What is under way is gone on with when the view is shown again. */
  #leave() {
    this.#drop();
    this.#save();
  }

  #drop() {
    const asked = this.#asked;
    this.#asked = null;
    asked?.abort();
  }

  #goOn() {
    const last = this.#conversation.turns.at(-1);
    if (last?.state === 'streaming') this.#answer(last);
  }

  #build() {
    this.turns = el('ol', {class: 'turns', 'aria-label': t('conversation')});
    this.empty = el('div', {class: 'opening'});
    this.told = el('p', {class: 'unseen', role: 'status'});
    this.box = el('textarea', {
      id: 'message', rows: 1, maxlength: mostCharacters, placeholder: t('hint'), enterkeyhint: 'send',
      oninput: () => this.#grow(), onkeydown: (event) => this.#pressed(event),
    });
    this.full = el('p', {class: 'small', role: 'status'});
    this.button = el('button', {type: 'submit', class: 'primary'});
    this.anew = el('button', {type: 'button', class: 'quiet', onclick: () => this.#beginAnew()}, t('anew'));
    replace(this,
      el('div', {class: 'chat-head'}, el('h1', {}, t('title')), this.anew),
      this.empty, this.turns, this.told,
      el('form', {class: 'composer', onsubmit: (event) => this.#submit(event)},
        el('label', {for: 'message', class: 'unseen'}, t('box')), this.box, this.button, this.full));
    this.#drawButton();
  }

  #drawEmpty() {
    const isEmpty = this.#conversation.turns.length === 0;
    this.anew.hidden = isEmpty;
    this.empty.hidden = !isEmpty;
    if (!isEmpty) return;
    replace(this.empty, el('h2', {}, t('opening')), el('p', {}, t('openingHelp')),
      el('p', {class: 'row'}, ['example1', 'example2', 'example3'].map((name) =>
        el('button', {type: 'button', onclick: () => this.#say(t(name))}, t(name)))));
  }

  #drawButton() {
    const isBusy = this.#asked !== null;
    const label = t(isBusy ? 'stop' : 'send');
    this.button.setAttribute('aria-label', label);
    this.button.title = label;
    replace(this.button, icon(isBusy ? 'stop' : 'send'));
  }

  #grow() {
    this.box.style.blockSize = 'auto';
    this.box.style.blockSize = `${Math.min(this.box.scrollHeight + 2, 160)}px`;
    this.full.textContent = this.box.value.length < mostCharacters ? '' : t('full', {n: mostCharacters});
  }

  #pressed(event) {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!this.#asked) this.#say(this.box.value);
  }

  #submit(event) {
    event.preventDefault();
    if (this.#asked) this.#asked.abort();
    else this.#say(this.box.value);
  }

  #say(text) {
    const message = text.trim();
    if (!message || this.#asked) return;
    this.box.value = '';
    this.#grow();
    this.#add({who: 'human', text: message, state: 'complete'});
    this.#answer(this.#add({who: 'ai', ...begun(message)}));
    this.box.focus();
  }

  #add(turn) {
    const before = this.#conversation.turns.at(-1);
    this.#conversation.turns.push(turn);
    if (before?.state === 'failed' || before?.state === 'stopped') this.#draw(before);  // it is too late to ask it again
    this.#append(turn);
    this.#drawEmpty();
    this.#toEnd();
    this.#save();
    return turn;
  }

  #append(turn) {
    const node = el('li', {class: `turn ${turn.who}`});
    this.#nodes.set(turn, node);
    this.turns.append(node);
    this.#draw(turn);
  }

  #again(turn) {
    if (this.#asked) return;
    Object.assign(turn, begun(turn.question));
    this.#answer(turn);
  }

  /** Begins it, or goes on with it. */
  async #answer(turn) {
    const asked = new AbortController();
    this.#asked = asked;
    this.told.textContent = '';
    this.#drawButton();
    this.#draw(turn);
    try {
      await this.#stream(turn, asked.signal);
    } catch (error) {
      if (this.#asked !== asked) return;  // the view was left, or the conversation
      if (asked.signal.aborted) turn.state = 'stopped';
      else this.#fail(turn, error);
    }
    if (this.#asked !== asked) return;
    this.#asked = null;
    turn.eventId = '';
    this.#drawButton();
    const isFollowing = this.#isAtEnd();
    this.#draw(turn);
    if (isFollowing) this.#toAnswer(turn);
    // The whole answer is told once, not each of its pieces.
    this.told.textContent = turn.state === 'complete' ? turn.text.slice(0, 600) : '';
    this.#save();
  }

  #fail(turn, error) {
    if (!(error instanceof ApiError)) throw error;
    turn.state = 'failed';
    turn.error = error;
  }

  /**
   * Until it is whole: a connection that breaks is made again and goes on after the last event. Where the server ended
   * the answer with its connection, it is asked for again, once.
   */
  async #stream(turn, signal) {
    let isAnew = false;
    for (let broken = 0; turn.state === 'streaming'; ++broken) {
      try {
        for await (const event of events(await this.#open(turn, signal))) {
          broken = 0;
          this.#take(turn, event);
          if (turn.state !== 'streaming') break;
        }
      } catch (error) {
        const isBroken = !(error instanceof ApiError) || error.status === 0;
        if (signal.aborted || !isBroken) throw error;
      }
      if (turn.error?.code === 'cancelled' && !isAnew) {
        isAnew = true;
        Object.assign(turn, begun(turn.question));
      } else if (turn.state === 'streaming') {
        if (!turn.eventId || broken >= reconnectWaits.length) throw new ApiError({status: 0, code: 'unreachable'});
        turn.step = t('reconnecting');
        this.#draw(turn);
        await pause(reconnectWaits[broken], signal);
      }
    }
  }

  #open(turn, signal) {
    const {user, session} = this.#conversation;
    return send('/api/v1/chat/message/stream', {
      method: 'POST',
      body: {user_id: user, session_id: session, message: turn.question},
      headers: {Accept: 'text/event-stream', ...(turn.eventId ? {'Last-Event-ID': turn.eventId} : {})},
      signal,
    });
  }

  #take(turn, {id, type, data}) {
    if (type !== 'message') return;  // the server says that it is about to end; the connection will tell
    const {event_type: kind, message, metadata} = JSON.parse(data);
    turn.eventId = id;
    turn.step = message;
    if (kind === 'complete') {
      Object.assign(turn, {text: message, state: 'complete', products: metadata.products ?? [], runId: metadata.run_id, isTrial: Boolean(metadata.experiment), degraded: metadata.degraded});
    } else if (kind === 'error') {
      const {error: code, request_id: requestId} = metadata;
      this.#fail(turn, new ApiError({status: passing.test(code) ? 503 : 500, code, detail: code === 'cancelled' ? '' : message, requestId}));
    } else {
      if (metadata.is_piece) {
        turn.text = metadata.is_anew ? message : turn.text + message;
        turn.step = '';
      }
      const isFollowing = this.#isAtEnd();
      this.#draw(turn);
      if (isFollowing) this.#toAnswer(turn);
    }
  }

  #draw(turn) {
    const node = this.#nodes.get(turn);
    const hadFocus = node.contains(document.activeElement);
    if (turn.who === 'human') {
      replace(node, el('span', {class: 'unseen'}, t('you')), el('p', {class: 'said'}, turn.text));
      return;
    }
    const isBusy = turn.state === 'streaming';
    node.setAttribute('aria-busy', String(isBusy));
    replace(node, el('span', {class: 'unseen'}, t('decant')),
      this.#parts(turn),
      isBusy ? el('p', {class: 'step small'}, turn.step || (turn.text ? '' : t('asking'))) : null,
      turn.degraded ? el('p', {class: 'warning'}, t('degraded')) : null,
      isBusy ? null : this.#ending(turn));
    if (hadFocus) this.box.focus({preventScroll: true});
  }

  #parts(turn) {
    const similar = (product) => {
      tellChoice(turn.isTrial ? turn.runId : '', product);
      location.hash = `#/search?similar=${encodeURIComponent(product.product_id)}`;
    };
    return answerParts(turn.text, turn.products).map(({text, table, products}) => {
      if (products) return el('div', {class: 'found'}, turn.products.map((product) => productCard(product, {level: 2, onSimilar: similar})));
      return table ? comparison(table) : el('p', {class: 'said'}, text);
    });
  }

  /** Asking again would come after what was said since: the last one can be. */
  #ending(turn) {
    const again = turn === this.#conversation.turns.at(-1) ? () => this.#again(turn) : null;
    if (turn.state === 'failed') return failure(turn.error, again);
    if (turn.state === 'stopped') {
      return el('p', {class: 'row small'}, t('stopped'),
        again ? el('button', {type: 'button', class: 'quiet', onclick: again}, icon('again'), t('again')) : null);
    }
    return turn.runId ? this.#rating(turn) : null;
  }

  #rating(turn) {
    const outcome = el('span', {class: 'small', role: 'status'});
    const thumb = (score, name, label) => el('button', {
      type: 'button', class: 'quiet thumb', 'aria-label': t(label), title: t(label), 'aria-pressed': String(turn.score === score),
      onclick: () => turn.score !== score && rate({score}),
    }, icon(name));
    const comment = el('input', {type: 'text', 'aria-label': t('wrong'), placeholder: t('wrong'), maxlength: 1000});
    const form = el('form', {class: 'row', hidden: turn.score !== 0 || turn.isCommented, onsubmit: (event) => {
      event.preventDefault();
      if (comment.value.trim()) rate({score: 0, comment: comment.value.trim()});
    }}, comment, el('button', {type: 'submit'}, t('sendComment')));
    const thumbs = el('span', {class: 'row'}, thumb(1, 'up', 'good'), thumb(0, 'down', 'bad'));
    const rate = async ({score, comment: said}) => {
      try {
        await call('/api/v1/feedback', {method: 'POST', body: {run_id: turn.runId, score, ...(said ? {comment: said} : {})}});
      } catch (error) {
        outcome.textContent = explain(error)[0];
        return;
      }
      turn.score = score;
      turn.isCommented = Boolean(said);
      [...thumbs.children].forEach((button, place) => button.setAttribute('aria-pressed', String(score === 1 - place)));
      form.hidden = score !== 0 || turn.isCommented;
      outcome.textContent = t('thanks');
      if (!form.hidden) comment.focus();
      else if (said) thumbs.lastElementChild.focus();
      this.#save();
    };
    return el('div', {class: 'rating'}, thumbs, form, outcome);
  }

  async #beginAnew() {
    this.#drop();
    const {session, user} = this.#conversation;
    this.#conversation = newConversation();
    this.#nodes.clear();
    replace(this.turns);
    this.told.textContent = '';
    this.#drawEmpty();
    this.#drawButton();
    this.#save();
    this.box.focus();
    try {
      await call(`/api/v1/chat/session/${encodeURIComponent(session)}?user_id=${encodeURIComponent(user)}`, {method: 'DELETE'});
    } catch {
      // Nothing was said in it yet, or the server removes it in its time.
    }
  }

  #save() {
    saveConversation(this.#conversation);
  }

  #isAtEnd() {
    const {scrollHeight, scrollTop, clientHeight} = document.documentElement;
    return scrollHeight - scrollTop - clientHeight < nearEnd;
  }

  #toEnd() {
    scrollTo({top: document.documentElement.scrollHeight});
  }

  /** Follows it as far down as its beginning stays in sight, and never up. */
  #toAnswer(turn) {
    const above = this.#nodes.get(turn).getBoundingClientRect().top - document.querySelector('.top').offsetHeight - 16;
    if (above > 0) scrollBy({top: above});
  }
}

function comparison({head: [, ...names], rows}) {
  return el('table', {},
    el('thead', {}, el('tr', {}, el('td'), names.map((name) => el('th', {scope: 'col'}, name)))),
    el('tbody', {}, rows.map(([label, ...values]) =>
      el('tr', {}, el('th', {scope: 'row'}, label), values.map((value) => el('td', {}, value))))));
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('', 'AbortError'));
    }, {once: true});
  });
}

await styleSheet('chat.css');
customElements.define('decant-chat', ChatView);
