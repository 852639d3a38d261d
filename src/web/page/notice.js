// What is shown in the place of an answer: it is empty, it failed, it waits.

import {el, icon} from './dom.js';
import {texts} from './text.js';

const t = texts({
  en: {
    unreachable: 'The server does not answer',
    unreachableHelp: 'It may be restarting, or the network is down.',
    signIn: 'A valid API key is needed',
    signInHelp: 'The key was not accepted, or has been revoked or has expired.',
    forbidden: 'This key may not do that',
    forbiddenHelp: 'Ask for a key with the scope that this needs.',
    limited: 'Too many requests in this minute',
    limitedHelp: 'The server takes no more for now.',
    busy: 'The server cannot answer now',
    busyHelp: 'Its database or model is away, or it has too much to do.',
    cutOff: 'The answer was cut off',
    cutOffHelp: 'Its connection broke while it was written.',
    conflict: 'This server cannot do that',
    invalid: 'The server did not accept this',
    failed: 'Something went wrong in the server',
    again: 'Try again',
    countdown: {one: 'Tries again in {n} second.', other: 'Tries again in {n} seconds.'},
    request: 'Request',
  },
  es: {
    unreachable: 'El servidor no responde',
    unreachableHelp: 'Puede estar reiniciándose, o la red está caída.',
    signIn: 'Hace falta una clave de API válida',
    signInHelp: 'La clave no fue aceptada, fue revocada o venció.',
    forbidden: 'Esta clave no lo permite',
    forbiddenHelp: 'Pida una clave con el permiso que hace falta.',
    limited: 'Demasiados pedidos en este minuto',
    limitedHelp: 'Por ahora el servidor no recibe más.',
    busy: 'El servidor no puede responder ahora',
    busyHelp: 'Su base de datos o su modelo no está disponible, o tiene demasiado trabajo.',
    cutOff: 'La respuesta se cortó',
    cutOffHelp: 'Se perdió su conexión mientras se escribía.',
    conflict: 'Este servidor no puede hacerlo',
    invalid: 'El servidor no aceptó esto',
    failed: 'Algo falló en el servidor',
    again: 'Reintentar',
    countdown: {one: 'Reintenta en {n} segundo.', other: 'Reintenta en {n} segundos.'},
    request: 'Pedido',
  },
});

/** Title, and what to do about it, of an ApiError. */
export function explain(error) {
  if (error.code === 'cancelled') return [t('cutOff'), t('cutOffHelp')];
  if (error.status === 0) return [t('unreachable'), t('unreachableHelp')];
  if (error.status === 401) return [t('signIn'), t('signInHelp')];
  if (error.status === 403) return [t('forbidden'), t('forbiddenHelp')];
  if (error.status === 409) return [t('conflict'), error.detail ?? ''];
  if (error.status === 429) return [t('limited'), t('limitedHelp')];
  if (error.status === 503) return [t('busy'), t('busyHelp')];
  return error.status >= 500 ? [t('failed'), error.detail ?? ''] : [t('invalid'), error.detail ?? ''];
}

/** Waiting is all that helps. */
export const passesByItself = ({status}) => [0, 429, 503].includes(status);

/**
 * <decant-notice>: a failure with a button to try again; counts down and tries by itself where the server said when,
 * or where waiting is all that helps.
 */
class Notice extends HTMLElement {
  #timer = 0;

  show(error, retry, label = t('again')) {
    const [title, help] = explain(error);
    const detail = error.detail && error.detail !== help ? error.detail : '';
    const countdown = el('span', {class: 'countdown'});
    this.setAttribute('role', 'alert');
    this.className = 'notice failure';
    this.dataset.status = String(error.status);
    this.replaceChildren(
      el('h2', {}, title),
      el('p', {}, help),
      ...(detail ? [el('p', {class: 'detail'}, detail)] : []),
      el('p', {class: 'row'}, retry ? el('button', {type: 'button', onclick: () => this.#retry(retry)}, icon('again'), label) : null, countdown),
      ...(error.requestId ? [el('p', {class: 'small'}, `${t('request')} ${error.requestId}`)] : []),
    );
    if (retry && passesByItself(error)) this.#count(countdown, Math.min(error.retryAfter ?? 5, 60), retry);
    return this;
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
  }

  #count(place, seconds, retry) {
    let left = Math.max(1, seconds);
    const tell = () => {
      // Told aloud once, by the notice itself; the seconds are for the eye.
      place.textContent = t('countdown', {n: left});
    };
    tell();
    place.setAttribute('aria-live', 'off');
    this.#timer = setInterval(() => {
      left -= 1;
      if (left <= 0) this.#retry(retry);
      else tell();
    }, 1000);
  }

  #retry(retry) {
    clearInterval(this.#timer);
    retry();
  }
}

customElements.define('decant-notice', Notice);

/** `label`: of the button, where it does something else than trying again. */
export function failure(error, retry, label) {
  return document.createElement('decant-notice').show(error, retry, label);
}
