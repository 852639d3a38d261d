-- Takes chat away, with all that was said in it.

DROP TABLE IF EXISTS decant.chat_events;
DROP TABLE IF EXISTS decant.chat_messages;
DROP TABLE IF EXISTS decant.chat_sessions;
