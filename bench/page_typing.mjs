// scripts/bench-page: from the last key to the first results, in chromium, on the sample's catalog. Prints a Markdown table.
//
// Each question is typed with 60 ms between keys; the clock starts in the page at the last `input` event and stops at the
// first frame after the results of that question are in the page. The pause that the page waits for is part of it.

import {launch, openPage} from '../tests/web/support/browser.mjs';
import {startServer} from '../tests/web/support/server.mjs';

const questions = ['monitor para diseño', 'notebook liviana para viajar', 'auriculares inalámbricos hasta 100', 'teclado mecanico logitech',
  'placa de video para jugar en 4k', 'disco ssd de 1 tb', 'mouse ergonómico', 'fuente de 750w', 'parlantes bluetooth', 'webcam full hd'];
const turns = 5;
const target = 150;

/** Runs in the page: keeps for each last key the time until the results that came after it were painted. */
function measure() {
  let last = 0;
  addEventListener('input', () => { last = performance.now(); }, {capture: true});
  new MutationObserver(() => {
    const asked = last;
    if (asked) requestAnimationFrame(() => setTimeout(() => window.shown = {asked, at: performance.now()}));
  }).observe(document.querySelector('.results'), {childList: true});
  window.lastKey = () => last;
}

async function timeOf(page, question) {
  const box = page.getByRole('searchbox');
  await box.fill('');
  await page.locator('.results .notice').waitFor();
  await page.evaluate(() => { window.shown = null; });
  await box.pressSequentially(question, {delay: 60});
  const handle = await page.waitForFunction(() => window.shown && window.shown.asked === window.lastKey() && document.querySelector('.results .card') && window.shown.at - window.shown.asked);
  return handle.jsonValue();
}

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

const server = await startServer();
const browser = await launch();
try {
  const page = await openPage(browser, server.url, {language: 'es'});
  await page.locator('.results').waitFor();
  await page.evaluate(measure);
  await timeOf(page, 'monitor');  // the first question waits for the model
  const times = [];
  for (let turn = 0; turn < turns; ++turn) for (const question of questions) times.push(await timeOf(page, `${question} ${turn || ''}`.trim()));
  times.sort((a, b) => a - b);
  const row = (what, value, isPart) => `| ${what} | ${value.toFixed(0)} ms | ${isPart ? `≤ ${target} ms | ${value <= target ? 'pass' : 'MISS'}` : '|'} |`;
  console.log(`| last key to first results, ${times.length} questions | measured | target | |\n| --- | ---: | ---: | --- |`);
  console.log(row('p50', percentile(times, 0.5), true));
  console.log(row('p95', percentile(times, 0.95), false));
  console.log(row('slowest', times.at(-1), false));
  process.exitCode = percentile(times, 0.5) <= target ? 0 : 1;
} finally {
  await browser.close();
  await server.stop();
}
