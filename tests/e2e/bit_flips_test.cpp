#include <fmt/format.h>

#include <bit>
#include <boost/json/array.hpp>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/copy_case.hpp"

namespace decant::test {
namespace {

constexpr std::uint64_t rows = 5'000;
constexpr std::uint64_t flips_a_run = 500;
constexpr int runs = 20;

using Found = std::set<std::pair<std::string, std::string>>;  ///< id, kind of difference

/// One bit of a stored value turned over, as SQL that does it and what a verification must say of it.
struct Flip {
    std::string statement;
    std::string column;
    Found expected;
};

/// Turns over bits that leave a value PostgreSQL can hold: NaN, infinity, NUL and broken UTF-8 it refuses itself.
class Flipper {
public:
    Flipper(pg::Connection& db, std::uint64_t seed) : db_(db), random_(seed) {}

    std::vector<Flip> flips() {
        std::set<std::uint64_t> chosen;
        while (chosen.size() < flips_a_run)
            chosen.insert(random_() % rows);
        std::vector<Flip> all;
        for (const std::uint64_t number : chosen)
            all.push_back(flip(sample_record(number, 32)));
        return all;
    }

private:
    Flip flip(const SourceRecord& record) {
        switch (random_() % 4) {
            case 0:
                return flip_id(record);
            case 1:
                return change(record, "document", db_.quote_literal(flip_text(*record.document)));
            case 2:
                return change(record, "embedding", flip_vector(record.vector));
            default:
                return change(record, "metadata", flip_metadata(record));
        }
    }

    Flip flip_id(const SourceRecord& record) {
        const std::string other = flip_text(record.id);
        // A flipped digit can give the id of another record.
        if (other.starts_with("record-") && other.find_first_not_of("0123456789", 7) == std::string::npos) {
            return flip_id(record);
        }
        return {fmt::format("UPDATE products SET id = {} WHERE id = '{}'", db_.quote_literal(other), record.id),
                "id",
                {{record.id, "missing"}, {other, "extra"}}};
    }

    Flip change(const SourceRecord& record, const std::string& column, const std::string& value) const {
        return {fmt::format("UPDATE products SET {} = {} WHERE id = '{}'", column, value, record.id),
                column,
                {{record.id, "changed"}}};
    }

    std::string flip_text(std::string text) {
        for (;;) {
            char& byte = text[random_() % text.size()];
            const auto flipped = static_cast<char>(byte ^ static_cast<char>(1U << (random_() % 7)));
            if (byte > 0 && flipped > 0) {
                byte = flipped;
                return text;
            }
        }
    }

    std::string flip_vector(std::vector<float> vector) {
        float& value = vector[random_() % vector.size()];
        float flipped = 0;
        do {
            flipped = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ (1U << (random_() % 32)));
        } while (!std::isfinite(flipped));
        value = flipped;
        return fmt::format("'[{}]'", fmt::join(vector, ","));
    }

    std::string flip_metadata(const SourceRecord& record) {
        const auto& [key, value] = record.metadata[random_() % record.metadata.size()];
        std::string flipped;
        if (const auto* text = std::get_if<std::string>(&value)) {
            flipped = fmt::format("to_jsonb({}::text)", db_.quote_literal(flip_text(*text)));
        } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
            flipped = fmt::format(
                "'{}'", static_cast<std::int64_t>(static_cast<std::uint64_t>(*whole) ^ (1UL << (random_() % 64))));
        } else if (const auto* real = std::get_if<double>(&value)) {
            double other = 0;
            do {
                other = std::bit_cast<double>(std::bit_cast<std::uint64_t>(*real) ^ (1UL << (random_() % 64)));
            } while (!std::isfinite(other));
            flipped = fmt::format("'{}'", other);
        } else {
            flipped = std::get<bool>(value) ? "'false'" : "'true'";
        }
        return fmt::format("jsonb_set(metadata, '{{{}}}', {})", key, flipped);
    }

    pg::Connection& db_;
    std::mt19937_64 random_;
};

Found found_by(const CopyCase& with, const std::string& against, const std::string& seed) {
    const Outcome outcome = with.verify(against);
    EXPECT_EQ(outcome.exit_code, 1) << seed << outcome.told();
    Found found;
    const boost::json::value reports = outcome.json();
    for (const auto& difference : reports.at(0).at("differences").as_array()) {
        found.emplace(difference.at("id").as_string(), difference.at("kind").as_string());
    }
    return found;
}

void restore(pg::Connection& db) {
    db.exec("BEGIN; TRUNCATE products; INSERT INTO products SELECT * FROM pristine; COMMIT");
}

TEST(Verify, NamesExactlyTheRowsOfTenThousandFlippedBits) {
    CopyCase with;
    with.source().put_samples(0, rows);
    with.copied({"--index", "none"});
    auto db = with.open();
    db.exec("CREATE TABLE pristine AS TABLE products");
    std::map<std::string, std::uint64_t> flipped;
    for (int run = 0; run < runs; ++run) {
        Found expected;
        std::string statements = "BEGIN";
        for (Flip& flip : Flipper{db, static_cast<std::uint64_t>(run)}.flips()) {
            expected.merge(flip.expected);
            statements += "; " + flip.statement;
            ++flipped[flip.column];
        }
        db.exec(statements + "; COMMIT");
        for (const char* side : {"source", "digests"})
            EXPECT_EQ(found_by(with, side, fmt::format("run {}: ", run)), expected) << side << ", run " << run;
        restore(db);
    }
    EXPECT_EQ(with.verify("source").exit_code, 0);
    EXPECT_EQ(with.verify("digests").exit_code, 0);
    for (const auto& [column, count] : flipped)
        RecordProperty(column, static_cast<int>(count));
}

TEST(Verify, NamesTheColumnThatDiffersFromTheSource) {
    CopyCase with;
    with.source().put_samples(0, 10);
    with.copied({"--index", "none"});
    with.exec(
        "UPDATE products SET document = NULL WHERE id = 'record-000001'; "
        "UPDATE products SET metadata = jsonb_set(metadata, '{version}', '0.0') WHERE id = 'record-000002'; "
        "UPDATE products SET embedding = (SELECT embedding FROM products WHERE id = 'record-000000'), document = '' "
        "WHERE id = 'record-000003'");
    const Outcome outcome = with.decant().run({"verify", "products"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.out, testing::HasSubstr("record-000001  (document)"));
    EXPECT_THAT(outcome.out, testing::HasSubstr("record-000002  (metadata)"));
    EXPECT_THAT(outcome.out, testing::HasSubstr("record-000003  (document, embedding)"));
}

}  // namespace
}  // namespace decant::test
