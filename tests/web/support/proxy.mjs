// Between the browser and decant: passes everything on, but for what a test wants to go wrong.

import {once} from 'node:events';
import http from 'node:http';

/**
 * `rule`, set by a test: (request) → nothing: pass on; {status, headers, body}: answer that; {hold: promise}: pass on
 * when it is kept; {cut: text, isLeft, once}: pass on, but break off when the answer has had that text, and `once()` is
 * kept; with isLeft, the rule, decant is left too, else it says all it has to say.
 */
export class Proxy {
  rule = () => undefined;
  calls = [];
  #server = null;
  #port = 0;
  #target;

  constructor(target) {
    this.#target = new URL(target);
  }

  /** Nothing goes wrong any more, and nothing was called. */
  reset() {
    this.rule = () => undefined;
    this.calls = [];
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Takes the same port again where it had one. */
  async up() {
    if (this.#server?.listening) return this;
    this.#server = http.createServer((request, response) => this.#handle(request, response).catch(() => response.destroy()));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = this.#server.address().port;
    return this;
  }

  /** Nobody listens, and who was connected is cut off. */
  async down() {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request, response) {
    this.calls.push(`${request.method} ${request.url}`);
    const rule = this.rule(request);
    if (rule?.status) {
      response.writeHead(rule.status, rule.headers);
      response.end(rule.body ?? '');
      return;
    }
    if (rule?.hold) await rule.hold;
    const {'accept-encoding': encoding, ...headers} = request.headers;
    if (encoding && rule?.cut === undefined) headers['accept-encoding'] = encoding;
    const passed = http.request({
      host: this.#target.hostname, port: this.#target.port, method: request.method, path: request.url, headers,
    });
    passed.on('error', () => response.destroy());
    if (rule?.isLeft !== false) response.on('close', () => passed.destroy());
    request.pipe(passed);
    const [answer] = await once(passed, 'response');
    answer.on('error', () => response.destroy());
    response.writeHead(answer.statusCode, answer.headers);
    response.flushHeaders();
    if (rule?.cut === undefined) answer.pipe(response);
    else this.#passUntil(answer, response, rule);
  }

  #passUntil(answer, response, {cut: text, once: reached = async () => {}}) {
    let seen = '';
    answer.on('data', (piece) => {
      seen += piece.toString('latin1');
      const at = seen.indexOf(text);
      if (at < 0) return response.write(piece);
      answer.removeAllListeners('data').removeAllListeners('end').resume();
      response.write(piece.subarray(0, at + text.length - (seen.length - piece.length)),
        () => reached().then(() => response.destroy(), () => response.destroy()));
    });
    answer.on('end', () => response.end());
  }
}

/** An answer as decant gives it (RFC 9457). */
export function problem(status, error, {detail = 'It was told to fail.', headers = {}} = {}) {
  return {
    status,
    headers: {'Content-Type': 'application/problem+json', ...headers},
    body: JSON.stringify({type: 'about:blank', title: error, status, detail, error, request_id: 'f00d', timestamp: '2026-01-01T00:00:00Z'}),
  };
}
