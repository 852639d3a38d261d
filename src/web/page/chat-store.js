// The conversation of this tab. Session storage: it outlives a reload, and ends with the tab, as the key does.

import {randomId, visitorId} from './api.js';

const storeName = 'decant.chat';
const mostTurns = 60;
const mostCharacters = 400_000;

/**
 * A turn: {who: 'human' | 'ai', text, state: 'streaming' | 'complete' | 'stopped' | 'failed'}; of an answer besides
 * what begun() tells, and eventId while it is under way, so that it can be gone on with.
 */
export function loadConversation() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(storeName) ?? 'null');
    if (kept && typeof kept.user === 'string' && typeof kept.session === 'string' && Array.isArray(kept.turns)) return kept;
  } catch {
    // What cannot be read is not gone on with.
  }
  return newConversation();
}

export function newConversation() {
  return {user: visitorId(), session: `web_${randomId()}`, turns: []};
}

/** What an answer to `question` has before any of it has come. */
export function begun(question) {
  return {
    question, text: '', state: 'streaming', step: '', products: [], degraded: false, error: null,
    eventId: '', runId: '', isTrial: false, score: null, isCommented: false,
  };
}

/** The oldest turns go where all are too many. */
export function saveConversation(conversation) {
  let turns = conversation.turns.slice(-mostTurns);
  let text = JSON.stringify({...conversation, turns});
  while (text.length > mostCharacters && turns.length > 2) {
    turns = turns.slice(2);
    text = JSON.stringify({...conversation, turns});
  }
  try {
    sessionStorage.setItem(storeName, text);
  } catch {
    // Full or switched off: the conversation goes on, but not over a reload.
  }
}
