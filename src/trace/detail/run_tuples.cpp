#include "trace/detail/run_tuples.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>
#include <type_traits>

#include "catalog/uuid.hpp"
#include "core/utf8.hpp"
#include "pg/binary_row.hpp"

namespace decant::trace::detail {
namespace {

constexpr std::int16_t column_count = 16;
/// Of the type text, which never changes (pg_type.dat).
constexpr std::uint32_t text_oid = 25;

/// Big-endian, as PostgreSQL's binary forms are.
template <typename Number>
void append(std::string& out, Number number) {
    const auto bits = static_cast<std::make_unsigned_t<Number>>(number);
    for (std::size_t shift = 8 * sizeof bits; shift > 0;)
        out.push_back(static_cast<char>(bits >> (shift -= 8) & 0xffU));
}

template <typename Number>
std::string binary(Number number) {
    std::string out;
    append(out, number);
    return out;
}

/// What PostgreSQL takes as text.
std::string storable(std::string_view text) {
    std::string valid = valid_utf8(text);
    std::erase(valid, '\0');
    return valid;
}

void add_text(pg::BinaryRow& row, const std::string& text) {
    if (text.empty())
        row.null();
    else
        row.text(storable(text));
}

void add_uuid(pg::BinaryRow& row, const std::string& text) {
    if (text.empty()) return row.null();
    const catalog::Uuid id = catalog::parse_uuid(text).value();
    row.text({reinterpret_cast<const char*>(id.data()), id.size()});
}

/// Microseconds since 2000.
std::int64_t timestamp_of(Time time) {
    constexpr Time epoch = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};
    return (time - epoch).count();
}

/// Source: PostgreSQL, array_recv(): dimensions, flags, element type; then length and lower bound, and the elements.
std::string array_of(const std::vector<std::string>& texts) {
    std::string out = binary<std::int32_t>(texts.empty() ? 0 : 1);
    append<std::int32_t>(out, 0);
    append(out, text_oid);
    if (texts.empty()) return out;
    append(out, static_cast<std::int32_t>(texts.size()));
    append<std::int32_t>(out, 1);
    for (const std::string& text : texts) {
        const std::string element = storable(text);
        append(out, static_cast<std::int32_t>(element.size()));
        out += element;
    }
    return out;
}

void add_tuple(std::string& out, const Run& run, const TupleForm& form) {
    const std::chrono::duration<double, std::milli> span = run.end - run.start;
    const bool has_outputs = form.keeps_texts || run.type == RunType::retriever;
    const bool is_sampled = share_of(run.trace_id) < form.sampling_rate;
    pg::BinaryRow row{out, column_count};
    add_uuid(row, run.id);
    add_uuid(row, run.trace_id);
    add_uuid(row, run.parent_id);
    add_text(row, run.project);
    add_text(row, run.request_id);
    row.text(storable(run.name));
    row.text(run_type_names[run.type]);
    row.text(binary(timestamp_of(run.start)));
    row.text(binary(std::bit_cast<std::int64_t>(span.count())));
    row.jsonb(form.keeps_texts ? run.inputs : "{}");
    row.jsonb(has_outputs ? run.outputs : "{}");
    row.jsonb(run.metadata);
    row.text(array_of(run.tags));
    add_text(row, run.error);
    row.text({is_sampled ? "\1" : "\0", 1});
    row.text(binary(
        static_cast<std::int32_t>(std::min<std::size_t>(run.bytes(), std::numeric_limits<std::int32_t>::max()))));
}

}  // namespace

std::string run_tuples(const Runs& runs, const TupleForm& form) {
    std::string tuples;
    for (const Run* run : runs)
        add_tuple(tuples, *run, form);
    return tuples;
}

}  // namespace decant::trace::detail
