#include "tests/support/slow_pages.hpp"

#include <fmt/format.h>

namespace decant::test {

void slow_down_pages(pg::Connection& db, const std::string& seconds) {
    // decant makes its own tables: the trigger is put there as soon as they are.
    db.exec(fmt::format(
        "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_sleep({}); RETURN NULL; END'; "
        "CREATE FUNCTION public.slow_down() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF to_regclass('decant.pages') IS NOT NULL THEN CREATE OR REPLACE TRIGGER slow BEFORE INSERT ON decant.pages "
        "EXECUTE FUNCTION public.slow(); END IF; END $$; "
        "CREATE EVENT TRIGGER slow_down ON ddl_command_end WHEN TAG IN ('CREATE TABLE') "
        "EXECUTE FUNCTION public.slow_down()",
        seconds));
}

std::int64_t pages_committed(pg::Connection& db) {
    if (!db.exec("SELECT to_regclass('decant.pages') IS NOT NULL").boolean(0, 0)) return 0;
    return db.exec("SELECT count(*) FROM decant.pages").integer(0, 0);
}

}  // namespace decant::test
