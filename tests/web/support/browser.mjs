// Chromium, and pages that tell what they did wrong.

import assert from 'node:assert/strict';
import {chromium} from './packages.mjs';

export const program = process.env.DECANT_TEST_CHROMIUM ?? '/usr/bin/chromium';
// Its sandbox does not work as root.
export const flags = process.getuid() === 0 ? ['--no-sandbox'] : [];

export const locales = {es: 'es-AR', en: 'en-US'};

export const launch = () => chromium.launch({executablePath: program, args: flags});

/** The page of a fresh session: nothing kept of others. */
export async function openPage(browser, url, {width = 1280, height = 900, theme = 'light', language = 'en', path = '/'} = {}) {
  const context = await browser.newContext({viewport: {width, height}, colorScheme: theme, locale: locales[language], reducedMotion: 'reduce'});
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  page.faults = watch(page, new URL(url).origin);
  await page.goto(url + path);
  return page;
}

/** Fills with what no page may do: errors, broken policies, requests that leave the origin. */
function watch(page, origin) {
  const faults = [];
  page.on('pageerror', (error) => faults.push(`uncaught ${error.stack}`));
  page.on('console', (message) => {
    if (['error', 'warning', 'assert'].includes(message.type())) faults.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:', 'about:'].includes(url.protocol) && url.origin !== origin) faults.push(`left the origin: ${request.url()}`);
  });
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  return faults;
}

/** But for what a test provoked itself, as the pattern `page.allowed` tells. */
export function assertFaultless(page) {
  assert.deepEqual(page.faults.filter((fault) => !page.allowed?.test(fault)), []);
}

/** The browser's own line about an answer that is no success. */
export const failedLoads = /Failed to load resource/;

/** Waits until `read()` gives what `is` takes; the last value tells why not. */
export async function eventually(read, is = Boolean, milliseconds = 20_000) {
  let value;
  for (const until = Date.now() + milliseconds; Date.now() < until;) {
    value = await read();
    if (is(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`it never came; at last: ${JSON.stringify(value)}`);
}
