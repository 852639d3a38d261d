// Starting a job that makes embeddings, and following it to its end.

import {call, isAbort, randomId} from './api.js';
import {command, progressBar} from './catalog-parts.js';
import {t} from './catalog-text.js';
import {el, replace} from './dom.js';
import {explain, failure, passesByItself} from './notice.js';
import {clock} from './text.js';

const path = '/api/v1/pgvector/embeddings/batch';
/** Whoever waits for longer than this waits for a worker that is not there. */
const patience = 8000;

/** A pause that ends early when `signal` fires; while nobody looks at the page it goes on. */
function pause(time, signal) {
  return new Promise((done) => {
    const end = () => (document.hidden && !signal.aborted ? document.addEventListener('visibilitychange', done, {once: true}) : done());
    setTimeout(end, time);
    signal.addEventListener('abort', done, {once: true});
  });
}

/** `onChange()` is told when there is news for the rest of the view. */
export class JobStarter {
  #signal;
  #onChange;
  #key = null;
  #isBusy = false;
  #said = '';
  #force = el('input', {type: 'checkbox', id: 'job-force', onchange: () => (this.#key = null)});
  #button = el('button', {type: 'button', class: 'primary', id: 'job-start', 'aria-describedby': 'job-help', onclick: () => this.#start()}, t('start'));
  #status = el('p', {role: 'status', id: 'job-status'});
  #more = el('div', {class: 'job-more'});
  #bar = null;

  constructor(signal, onChange) {
    this.#signal = signal;
    this.#onChange = onChange;
    this.element = el('div', {class: 'starter'},
      el('p', {class: 'small', id: 'job-help'}, t('startHelp')),
      el('div', {class: 'row'}, this.#button, el('label', {class: 'check'}, this.#force, t('force'))),
      this.#status, this.#more);
  }

  async #start() {
    if (this.#isBusy) return;
    this.#setBusy(true);
    this.#say(t('starting'));
    replace(this.#more);
    this.#key ??= randomId();
    try {
      const job = await call(path, {method: 'POST', headers: {'Idempotency-Key': this.#key}, body: {force: this.#force.checked}, signal: this.#signal});
      this.#key = null;
      this.#onChange();
      await this.#follow(job.job_id);
      this.#onChange();
    } catch (error) {
      if (isAbort(error)) return;
      if (!('status' in error)) throw error;
      this.#fail(error);
    } finally {
      this.#setBusy(false);
    }
  }

  /** Not `disabled`: that would take the focus away. */
  #setBusy(isBusy) {
    this.#isBusy = isBusy;
    this.#button.setAttribute('aria-disabled', String(isBusy));
    this.#force.disabled = isBusy;
  }

  /** Said once, however often it is so. */
  #say(text) {
    if (text !== this.#said) this.#status.textContent = text;
    this.#said = text;
  }

  async #follow(id) {
    this.#bar = progressBar(t('progressOf', {id}));
    this.#bar.element.id = 'job-progress';
    replace(this.#more, this.#bar.element);
    for (const begun = Date.now(); ;) {
      const job = await this.#ask(id);
      if (job && this.#tell(job, Date.now() - begun)) return;
      await pause(job ? 1000 : 5000, this.#signal);
    }
  }

  /** None where the server cannot say now, which ends no job. */
  async #ask(id) {
    try {
      return await call(`${path}/${id}`, {signal: this.#signal});
    } catch (error) {
      if (!passesByItself(error)) throw error;
      this.#say(t('unfollowed', {id}));
      return null;
    }
  }

  /** Whether it is over. */
  #tell({job_id: id, status, progress, summary, estimated_completion: end}, waited) {
    this.#bar.show(progress.current, progress.total, end && progress.current < progress.total ? t('until', {time: clock(end)}) : '');
    if (status === 'completed' || status === 'failed') {
      this.#say(status === 'failed' ? t('doneNone', {id}) : t('done', {id, ...summary}));
      return true;
    }
    this.#say(t(status === 'running' ? 'runs' : 'waits', {id}));
    if (status === 'pending' && waited > patience) replace(this.#more, this.#bar.element, el('p', {}, t('noWorker')), command('decant worker'));
    else if (this.#more.childElementCount > 1) replace(this.#more, this.#bar.element);
    return false;
  }

  #fail(error) {
    if (error.status === 403) {
      this.#say(t('mayNot'));
      replace(this.#more, command('decant key create --name jobs --scope search,metrics,embed'), el('p', {class: 'small'}, error.detail));
    } else if (error.status === 409) {
      this.#say(t('conflict'));
      replace(this.#more, el('p', {class: 'small'}, error.detail));
    } else {
      this.#say(explain(error)[0]);
      replace(this.#more, failure(error, () => this.#start()));
    }
  }
}
