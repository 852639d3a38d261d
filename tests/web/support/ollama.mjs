// A stand-in for Ollama's /api/chat whose words come when a test says so.

import {once} from 'node:events';
import http from 'node:http';

const line = (content, more = {done: false}) =>
  JSON.stringify({model: 'stand-in', created_at: '2026-11-28T16:00:00.123456789Z', message: {role: 'assistant', content}, ...more}) + '\n';
const ending = {done: true, done_reason: 'stop', total_duration: 1, prompt_eval_count: 1, eval_count: 1};

/** A request for the intent (it has a schema) is answered with nothing, so rules do; of answers see `answer`. */
export class Ollama {
  /** An async iterable of pieces for one answer. */
  answer = async function* () {};
  asked = 0;
  left = 0;
  #server = http.createServer((request, response) => this.#handle(request, response).catch(() => response.destroy()));

  async up() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get settings() {
    return {
      DECANT_LLM: 'ollama',
      DECANT_EMBEDDER: 'local',
      OLLAMA_API_URL: `http://127.0.0.1:${this.#server.address().port}`,
      OLLAMA_API_MODEL: 'stand-in',
    };
  }

  async down() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #handle(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length ? JSON.parse(Buffer.concat(chunks)) : {};
    response.writeHead(200, {'Content-Type': 'application/x-ndjson'});
    response.on('close', () => {
      if (!response.writableFinished) this.left += 1;
    });
    if (!body.format) {
      this.asked += 1;
      for await (const piece of this.answer(body)) response.write(line(piece));
    }
    response.end(line('', ending));
  }
}

/** A door for pieces: opened once by a test. */
export function gate() {
  let open;
  const opened = new Promise((resolve) => { open = resolve; });
  return {open, opened};
}
