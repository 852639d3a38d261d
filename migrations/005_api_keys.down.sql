-- Takes the keys of the HTTP API away; none of them is valid afterwards.

DROP TABLE IF EXISTS decant.api_keys;
