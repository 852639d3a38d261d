// Tells a running experiment which product of an answer was chosen.

import {call} from './api.js';

/** `run`: the answer's; empty where it is part of no experiment. Nobody waits for it. */
export async function tellChoice(run, {product_id: id}) {
  if (!run) return;
  try {
    await call('/api/v1/feedback', {method: 'POST', body: {run_id: run, product_id: id}});
  } catch {
    // One that is lost is one of many, and of no use to who chose.
  }
}
