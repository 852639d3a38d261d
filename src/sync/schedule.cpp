#include "sync/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "core/error.hpp"
#include "core/split_list.hpp"

namespace decant::sync {
namespace {

// A time without zone that the clocks skip is read by the offset before the change, one that comes twice by the offset
// after it (PostgreSQL manual, "Handling of Invalid or Ambiguous Timestamps"): one instant a day and hour. A run that
// had begun before the time and ended after it counts for it.
constexpr std::string_view outlook_sql = R"sql(
WITH clock AS (SELECT COALESCE($1::timestamptz, now()) AS now),
slots AS (
    SELECT (date_trunc('day', now AT TIME ZONE $2) + make_interval(days => day, hours => hour)) AT TIME ZONE $2 AS slot
    FROM clock, generate_series(-1, 1) AS day, unnest($3::int[]) AS hour),
edges AS (
    SELECT max(slot) FILTER (WHERE slot <= now) AS last, min(slot) FILTER (WHERE slot > now) AS next FROM slots, clock),
runs AS (
    SELECT max(greatest(started_at, ended_at, due_at)) AS active,
           max(ended_at) FILTER (WHERE state = 'complete' AND scope <> 'partial') AS complete
    FROM decant.sync_runs WHERE source = 'dux'),
newest AS (SELECT * FROM decant.sync_runs WHERE source = 'dux' ORDER BY id DESC LIMIT 1)
SELECT CASE WHEN active IS NULL OR active < last
            THEN to_char(last AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END,
       (complete IS NULL OR complete < now - make_interval(hours => $4)) AND
           (active IS NULL OR active < now - interval '1 hour'),
       to_char(next AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ceil(extract(epoch FROM next - now))::bigint,
       EXISTS (SELECT FROM newest WHERE started_at > now - interval '1 day' AND (state = 'running' OR
           state = 'stopped' AND report #>> '{error,code}' <> 'source_unavailable' AND
           (due_at IS NOT NULL OR report #>> '{error,code}' <> 'cancelled')))
FROM clock, edges, runs)sql";

Error no_hours(std::string_view key, const std::string& text) {
    return {ErrorCode::config_invalid, fmt::format("{} is '{}', which is no list of hours", key, text),
            "Write whole hours from 0 to 23, as in [2,14]."};
}

/// As the C library finds it.
std::string system_zone() {
    if (const char* named = std::getenv("TZ"); named != nullptr && *named != '\0')
        return *named == ':' ? named + 1 : named;
    constexpr std::string_view folder = "/zoneinfo/";
    std::error_code unreadable;
    const std::string target = std::filesystem::canonical("/etc/localtime", unreadable).string();
    const std::size_t at = target.find(folder);
    return at == std::string::npos ? "UTC" : target.substr(at + folder.size());
}

}  // namespace

std::vector<int> read_hours(const Settings& settings, std::string_view key) {
    const std::string text = settings.get(key).value_or("");
    std::string_view list = text;
    if (list.starts_with('[') && list.ends_with(']')) list = list.substr(1, list.size() - 2);
    std::vector<int> hours;
    for (const std::string_view part : split_list(list)) {
        int hour = 0;
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), hour);
        if (error != std::errc{} || end != part.data() + part.size() || hour < 0 || hour > 23)
            throw no_hours(key, text);
        hours.push_back(hour);
    }
    if (hours.empty()) throw no_hours(key, text);
    std::ranges::sort(hours);
    hours.erase(std::ranges::unique(hours).begin(), hours.end());
    return hours;
}

std::string read_zone(const Settings& settings) {
    return settings.get("DUX_SYNC_TIMEZONE").value_or(system_zone());
}

Schedule read_schedule(const Settings& settings) {
    return {.hours = read_hours(settings, "DUX_SYNC_HOURS"),
            .zone = read_zone(settings),
            .patience = std::chrono::hours{std::stoi(settings.get("DUX_FORCE_SYNC_THRESHOLD_HOURS").value_or("24"))}};
}

Outlook look_ahead(pg::Connection& db, const Schedule& schedule, const std::optional<std::string>& now) {
    const auto look = [&] {
        try {
            return db.query(outlook_sql, {now, schedule.zone, fmt::format("{{{}}}", fmt::join(schedule.hours, ",")),
                                          std::to_string(schedule.patience.count())});
        } catch (const Error& error) {
            if (error.code() != ErrorCode::store_rejected) throw;
            throw Error{ErrorCode::config_invalid,
                        fmt::format("There are no times in the zone '{}': {}", schedule.zone, error.happened()),
                        "Name one of pg_timezone_names in DUX_SYNC_TIMEZONE, as America/Argentina/Buenos_Aires."};
        }
    };
    const pg::Result row = look();
    return {.due = row.is_null(0, 0) ? std::nullopt : std::optional{std::string{row.text(0, 0)}},
            .is_cut_short = row.boolean(0, 4),
            .is_overdue = row.boolean(0, 1),
            .next = std::string{row.text(0, 2)},
            .until_next = std::chrono::seconds{row.integer(0, 3)}};
}

}  // namespace decant::sync
