// Calls of the HTTP API. The key of who signed in lives in session storage and nowhere else.

const keyName = 'decant.key';

/** What went wrong with a call. status 0: nobody answered. */
export class ApiError extends Error {
  constructor({status, code, detail = '', requestId = '', retryAfter = null}) {
    super(detail || code);
    Object.assign(this, {status, code, detail, requestId, retryAfter});
  }
}

export const isAbort = (error) => error?.name === 'AbortError';

export function key() {
  return sessionStorage.getItem(keyName) ?? '';
}

export function setKey(given) {
  if (given) sessionStorage.setItem(keyName, given);
  else sessionStorage.removeItem(keyName);
}

/** 128 random bits; crypto.randomUUID() is only there over HTTPS and on localhost. */
export function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Of this tab: what experiments tell visitors apart by. */
export function visitorId() {
  const name = 'decant.visit';
  if (!sessionStorage.getItem(name)) sessionStorage.setItem(name, `web_${randomId()}`);
  return sessionStorage.getItem(name);
}

/** Told when a call was refused for want of a valid key. */
export const access = new EventTarget();

/** Calls a minute that are left, as the last answer told; null where there is no limit. */
export let remaining = null;

const runs = new WeakMap();

/** Of an answer of call(): what feedback calls it by. */
export const runOf = (answer) => runs.get(answer) ?? '';

/** A whole answer as JSON. Throws ApiError, and AbortError where `signal` fired. */
export async function call(path, options = {}) {
  const answer = await send(path, options);
  try {
    const body = await answer.json();
    runs.set(body, answer.headers.get('X-Request-Id') ?? '');
    return body;
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError({status: 0, code: 'unreachable'});
  }
}

/** An answer whose body is still to be read. Throws as call(). */
export async function send(path, {method = 'GET', body, headers = {}, signal, withKey = key()} = {}) {
  const given = {Accept: 'application/json', ...headers};
  if (withKey) given.Authorization = `Bearer ${withKey}`;
  if (body !== undefined) given['Content-Type'] = 'application/json';
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: given,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      credentials: 'omit',
      cache: 'no-store',
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError({status: 0, code: 'unreachable'});
  }
  const left = answer.headers.get('X-RateLimit-Remaining');
  remaining = left === null ? null : Number(left);
  if (answer.ok) return answer;
  const error = await problemOf(answer);
  if (error.status === 401) access.dispatchEvent(new Event('refused'));
  throw error;
}

async function problemOf(answer) {
  let problem = {};
  try {
    problem = await answer.json();
  } catch {
    // Something between here and the server may answer without JSON: the status is all there is.
  }
  const retryAfter = Number.parseInt(answer.headers.get('Retry-After') ?? '', 10);
  return new ApiError({
    status: answer.status,
    code: problem.error ?? `http_${answer.status}`,
    detail: problem.detail ?? '',
    requestId: problem.request_id ?? '',
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : null,
  });
}
