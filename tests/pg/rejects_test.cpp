#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <string>

#include "core/base64.hpp"
#include "tests/support/copy_case.hpp"

namespace decant::test {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

/// The lines of rejects.jsonl by their id.
std::map<std::string, boost::json::object> rejects_of(const CopyCase& with, const std::string& name = "rejects.jsonl") {
    std::map<std::string, boost::json::object> lines;
    std::ifstream file{with.decant().folder() / name};
    for (std::string line; std::getline(file, line);) {
        const boost::json::object reject = boost::json::parse(line).as_object();
        const auto& id = reject.at("id");
        lines[id.is_string() ? std::string{id.as_string()} : std::string{id.at("base64").as_string()}] = reject;
    }
    return lines;
}

std::string text(const boost::json::value& value) {
    return std::string{value.as_string()};
}

std::string reason(const std::map<std::string, boost::json::object>& rejects, const std::string& id) {
    return text(rejects.at(id).at("reason"));
}

std::string base64_of(const std::vector<float>& vector) {
    return base64({reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)});
}

SourceRecord with_document(const std::string& id, const std::string& document) {
    SourceRecord record = sample_record(1, 32);
    record.id = id;
    record.document = document;
    return record;
}

SourceRecord with_vector_value(const std::string& id, float value) {
    SourceRecord record = sample_record(2, 32);
    record.id = id;
    record.vector[17] = value;
    return record;
}

TEST(Copy, M18_WritesEveryRejectedRecordWholeAndCountsAddUp) {
    CopyCase with{{.dimension = 32, .space = "cosine"}};
    with.source().put_samples(0, 50);
    const std::string long_id(2601, 'x');
    SourceRecord too_long = sample_record(100, 32);
    too_long.id = long_id;
    const SourceRecord zero{.id = "zero", .vector = std::vector<float>(32, 0.0F), .document = "of zeros"};
    const SourceRecord nan = with_vector_value("nan", std::numeric_limits<float>::quiet_NaN());
    const SourceRecord infinite = with_vector_value("infinite", -std::numeric_limits<float>::infinity());
    const SourceRecord nul = with_document("nul", "a\0b"s);
    with.source().put({too_long, zero, nan, infinite, nul});
    const Outcome outcome = with.copy({"--batch-size", "7"});
    EXPECT_EQ(outcome.exit_code, 1) << outcome.told();
    const boost::json::object report = outcome.json().as_object();
    expect_counts_add_up(report);
    EXPECT_EQ(count_of(report, "copied"), 50U);
    EXPECT_EQ(count_of(report, "rejected"), 5U);
    EXPECT_TRUE(report.at("verification").at("equal").as_bool());

    const auto rejects = rejects_of(with);
    ASSERT_EQ(rejects.size(), 5U);
    EXPECT_THAT(reason(rejects, long_id), HasSubstr("2601"));
    EXPECT_THAT(reason(rejects, "zero"), HasSubstr("all zeros"));
    EXPECT_EQ(text(rejects.at("zero").at("document")), "of zeros");
    EXPECT_THAT(reason(rejects, "nan"), HasSubstr("value 17 is nan"));
    EXPECT_THAT(reason(rejects, "infinite"), HasSubstr("value 17 is -inf"));
    EXPECT_EQ(text(rejects.at("infinite").at("vector")), base64_of(infinite.vector));
    EXPECT_EQ(text(rejects.at("nan").at("vector")), base64_of(nan.vector));
    EXPECT_EQ(text(rejects.at("nul").at("document").at("base64")), base64("a\0b"s));
    EXPECT_EQ(text(rejects.at("nul").at("vector")), base64_of(nul.vector));
}

TEST(Copy, M18_CountsTheSameRejectsWhenRunAgain) {
    CopyCase with{{.dimension = 32, .space = "cosine"}};
    with.source().put_samples(0, 20);
    with.source().put({SourceRecord{.id = "zero", .vector = std::vector<float>(32, 0.0F)}});
    with.copy();
    const Outcome again = with.copy();
    EXPECT_EQ(again.exit_code, 1) << again.told();
    EXPECT_EQ(count_of(again.json().as_object(), "unchanged"), 20U);
    EXPECT_EQ(count_of(again.json().as_object(), "rejected"), 1U);
    EXPECT_EQ(with.verify("source").exit_code, 0);
    EXPECT_EQ(with.verify("digests").exit_code, 0);
}

TEST(Copy, M20_KeepsAZeroVectorWhereTheDistanceIsDefined) {
    CopyCase with{{.dimension = 4, .space = "l2"}};
    with.source().put({SourceRecord{.id = "zero", .vector = std::vector<float>(4, 0.0F)},
                       SourceRecord{.id = "least", .vector = {1e-45F, -0.0F, 3.4e38F, -1e-38F}}});
    with.copied();
    EXPECT_EQ(with.value("SELECT encode(vector_send(embedding), 'hex') FROM products WHERE id = 'least'"),
              "0004000000000001800000007f7fc99e806ce3ee");
}

TEST(Copy, M20_AVectorOfTheWrongLengthIsRejectedAlone) {
    CopyCase with;
    with.source().put_samples(0, 20);
    with.source().put({sample_record(100, 31), sample_record(101, 33)});
    const Outcome outcome = with.copy();
    EXPECT_EQ(outcome.exit_code, 1) << outcome.told();
    const auto rejects = rejects_of(with);
    ASSERT_EQ(rejects.size(), 2U);
    EXPECT_THAT(reason(rejects, "record-000100"), HasSubstr("31 values"));
    EXPECT_EQ(text(rejects.at("record-000101").at("vector")), base64_of(sample_record(101, 33).vector));
    EXPECT_EQ(count_of(outcome.json().as_object(), "copied"), 20U);
}

TEST(Copy, M20_MetadataThatJsonHasNoNumberForIsRejected) {
    CopyCase with;
    SourceRecord infinite = sample_record(1, 32);
    infinite.metadata = {{"price", std::numeric_limits<double>::infinity()}};
    with.source().put({sample_record(2, 32), infinite});
    EXPECT_EQ(with.copy().exit_code, 1);
    EXPECT_THAT(reason(rejects_of(with), "record-000001"), HasSubstr("metadata 'price'"));
}

class TextPolicy : public testing::Test {
protected:
    TextPolicy() {
        SourceRecord metadata = sample_record(3, 32);
        metadata.id = "metadata";
        metadata.metadata = {{"name", "x\0y\xff"s}};
        with_.source().put({with_document("nul", "a\0b"s), with_document("utf8", "c\xc3(d"s),
                            with_document("surrogate",
                                          "e\xed\xa0\x80"
                                          "f"s),
                            with_document("clean", "ñandú \\u0000"s), metadata});
    }
    std::string document(const std::string& id) const {
        return with_.value("SELECT document FROM products WHERE id = '" + id + "'");
    }
    CopyCase with_;
};

TEST_F(TextPolicy, M19_RejectIsTheDefaultAndNamesTheByte) {
    const Outcome outcome = with_.copy();
    EXPECT_EQ(outcome.exit_code, 1) << outcome.told();
    const auto rejects = rejects_of(with_);
    ASSERT_EQ(rejects.size(), 4U);
    EXPECT_THAT(reason(rejects, "nul"), HasSubstr("U+0000 at byte 1"));
    EXPECT_THAT(reason(rejects, "utf8"), HasSubstr("0xc3) at byte 1"));
    EXPECT_THAT(reason(rejects, "surrogate"), HasSubstr("at byte 1"));
    EXPECT_EQ(text(rejects.at("surrogate").at("document").at("base64")), base64("e\xed\xa0\x80"
                                                                                "f"s));
    EXPECT_EQ(text(rejects.at("metadata").at("metadata").at(0).at("value").at("base64")), base64("x\0y\xff"s));
    EXPECT_EQ(document("clean"), "ñandú \\u0000");
}

TEST_F(TextPolicy, M19_StripLeavesOutTheBytes) {
    with_.copied({"--nul", "strip"});
    EXPECT_EQ(document("nul"), "ab");
    EXPECT_EQ(document("utf8"), "c(d");
    EXPECT_EQ(document("surrogate"), "ef");
    EXPECT_EQ(with_.value("SELECT metadata->>'name' FROM products WHERE id = 'metadata'"), "xy");
    EXPECT_EQ(with_.verify("source").exit_code, 0);
}

TEST_F(TextPolicy, M19_EscapeWritesThemOut) {
    with_.copied({"--nul", "escape"});
    EXPECT_EQ(document("nul"), "a\\u0000b");
    EXPECT_EQ(document("utf8"), "c\\xC3(d");
    EXPECT_EQ(document("surrogate"),
              "e\\xED\\xA0\\x80"
              "f");
    EXPECT_EQ(with_.value("SELECT metadata->>'name' FROM products WHERE id = 'metadata'"), "x\\u0000y\\xFF");
    EXPECT_EQ(document("clean"), "ñandú \\u0000");
    EXPECT_EQ(with_.verify("source").exit_code, 0);
}

TEST(Copy, M18_TakesIdsOfAnyTextThatPostgresqlCanHold) {
    CopyCase with;
    std::vector<SourceRecord> records;
    for (const std::string& id :
         {""s, " "s, "a'b\"c"s, "line\nbreak"s, "\\N"s, "😀"s, "z\xc3\xb1"s, std::string(2600, 'w')}) {
        records.push_back(sample_record(records.size(), 32));
        records.back().id = id;
    }
    with.source().put(records);
    with.copied({"--batch-size", "3"});
    EXPECT_EQ(with.value("SELECT count(*) FROM products"), "8");
    EXPECT_EQ(count_of(with.copied(), "unchanged"), 8U);
    EXPECT_EQ(with.verify("digests").exit_code, 0);
}

}  // namespace
}  // namespace decant::test
