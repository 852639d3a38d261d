// What most files of tests want: a server, a browser, and pages that are closed and judged after each test.

import {after, afterEach, before} from 'node:test';
import {assertFaultless, launch, openPage} from './browser.mjs';
import {Proxy} from './proxy.mjs';
import {startServer} from './server.mjs';

/**
 * `server`: as startServer(); `hasProxy`: pages come through a Proxy. A page whose `allowed` a test sets to a pattern
 * may have faults of that kind; others have none. `prepare` is called when all of it runs.
 */
export function site({server = {}, hasProxy = false, prepare = async () => {}} = {}) {
  const it = {
    async open(options) {
      const page = await openPage(it.browser, (it.proxy ?? it.server).url, options);
      pages.push(page);
      return page;
    },
  };
  let pages = [];
  before(async () => {
    const settings = typeof server === 'function' ? await server() : server;
    [it.server, it.browser] = await Promise.all([startServer(settings), launch()]);
    if (hasProxy) it.proxy = await new Proxy(it.server.url).up();
    // The first question waits for the model.
    await fetch(`${it.server.url}/api/v1/pgvector/search`, {
      method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({query: 'monitor', limit: 1}),
    });
    await prepare();
  });
  afterEach(async () => {
    const judged = pages;
    pages = [];
    if (it.proxy) it.proxy.reset();
    await Promise.all(judged.map((page) => page.context().close()));
    for (const page of judged) assertFaultless(page);
  });
  after(async () => {
    await it.browser?.close();
    await it.proxy?.down();
    await it.server?.stop();
  });
  return it;
}
