// `decant serve` over a copy of the sample's catalog.

import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';

const decant = process.env.DECANT_TEST_PROGRAM;
if (!decant) throw new Error('DECANT_TEST_PROGRAM is not set; run scripts/web-tests');

const unlimited = Object.fromEntries(
  ['SEARCH', 'EMBEDDING', 'BATCH', 'MONITORING', 'CHAT', 'FAILED_LOGIN'].map((kind) => [`DECANT_RATE_${kind}`, '0']));
let databases = 0;

/** Runs a command of decant to its end; gives what it wrote. */
function run(parameters, {env = {}, input = ''} = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(decant, parameters, {env: {...process.env, ...env}}, (error, stdout, stderr) => {
      if (error) reject(new Error(`decant ${parameters.join(' ')}: ${stderr || error.message}`));
      else resolve(stdout);
    });
    child.stdin.end(input);
  });
}

const sqlIn = (database, text) => run(['db', 'psql'], {input: `\\set QUIET on\n\\connect ${database}\n\\set ON_ERROR_STOP on\n\\pset tuples_only on\n\\pset format unaligned\n${text};\n`});

/**
 * `env`: settings; `prepare(database)`: SQL before the server starts. Without `worker` nothing is embedded by itself.
 * Ended by stop(), which fails where the server does not end well.
 */
export async function startServer({env = {}, worker = false, prepare = ''} = {}) {
  const database = `web_${process.pid}_${++databases}`;
  await sqlIn('postgres', `CREATE DATABASE ${database} TEMPLATE ${process.env.PGDATABASE}`);
  if (prepare) await sqlIn(database, prepare);
  const folder = await mkdtemp(join(tmpdir(), 'decant-web-'));
  const child = spawn(decant, ['serve', '--port', '0', ...(worker ? [] : ['--no-worker'])], {
    cwd: folder,
    env: {...process.env, ...unlimited, DECANT_LLM: 'none', ...env, PGDATABASE: database},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (text) => { log = (log + text).slice(-100_000); });
  const ended = once(child, 'exit');
  const started = once(createInterface(child.stdout), 'line').then(([line]) => line);
  const url = await Promise.race([started, ended.then(() => { throw new Error(`the server ended: ${log}`); })]);
  await until(`${url} is ready`, async () => (await fetch(`${url}/readyz`)).ok);
  return {
    url,
    log: () => log,
    sql: (text) => sqlIn(database, text),
    /** A key that the server knows already: it reads them every few seconds. */
    async newKey(scopes) {
      const made = JSON.parse(await run(['key', 'create', '--name', `web-${++databases}`, '--scope', scopes, '--json'], {env: {PGDATABASE: database}}));
      await until(`${url} knows the new key`, async () =>
        (await fetch(`${url}/api/v1/pgvector/health`)).status === 401 &&
        (await fetch(`${url}/api/v1/pgvector/health`, {headers: {Authorization: `Bearer ${made.key}`}})).status !== 401);
      return made;
    },
    revoke: (name) => run(['key', 'revoke', name], {env: {PGDATABASE: database}}),
    async stop() {
      child.kill('SIGTERM');
      const [code] = await ended;
      await rm(folder, {recursive: true, force: true});
      if (code !== 0) throw new Error(`the server ended with ${code}: ${log.slice(-2000)}`);
    },
  };
}

async function until(claim, isSo) {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it never came that ${claim}`);
}
