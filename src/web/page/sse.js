// Server-sent events of a response (WHATWG HTML, 9.2), for streams that a POST begins.

/** A connection that says nothing for this long is broken: decant sends a comment every 15 seconds. */
const mostSilence = 40_000;

/** Yields {id, type, data} of each event. Throws what reading the body throws, and when it is silent for too long. */
export async function* events(response, silence = mostSilence) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let event = {id: '', type: 'message', data: []};
  try {
    for (;;) {
      const {value, done} = await within(silence, reader.read());
      if (done) return;
      rest += value;
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line !== '') {
          take(event, line);
          continue;
        }
        if (event.data.length) yield {id: event.id, type: event.type, data: event.data.join('\n')};
        event = {id: event.id, type: 'message', data: []};
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function within(milliseconds, work) {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the stream is silent')), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function take(event, line) {
  const colon = line.indexOf(':');
  const field = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
  if (field === 'data') event.data.push(value);
  else if (field === 'event') event.type = value;
  else if (field === 'id') event.id = value;
}
