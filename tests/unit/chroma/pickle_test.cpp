#include "chroma/detail/pickle.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/error.hpp"

namespace decant::chroma::detail {
namespace {

/// The ids are views into `pickle`.
PersistedLabels read(std::string&& pickle) = delete;
PersistedLabels read(const std::string& pickle) {
    return read_index_pickle(std::as_bytes(std::span{pickle}));
}

std::string refusal(const std::string& pickle) {
    try {
        read(pickle);
    } catch (const Error& error) {
        return error.happened();
    }
    return {};
}

using namespace std::string_literals;
const std::string id_to_label = "\x8c\x0bid_to_label"s;

TEST(IndexPickle, GivesIdsAndLabelsOfADict) {
    const std::string pickle = "\x80\x04}"s + id_to_label +
                               "}(\x8c\x01"
                               "aK\x01\x8c\x01"
                               "bM\x00\x01us."s;
    const PersistedLabels labels = read(pickle);
    ASSERT_EQ(labels.entries.size(), 2U);
    EXPECT_EQ(labels.entries[1].id, "b");
    EXPECT_EQ(labels.entries[1].label, 256U);
    EXPECT_FALSE(labels.max_seq_id);
}

TEST(IndexPickle, GivesTheStateOfThePersistedObject) {
    const std::string pickle = "\x80\x04\x8c\x01m\x8c\x0ePersistentData\x93)\x81}("s + "\x8c\x0amax_seq_idK\x07"s +
                               id_to_label +
                               "}\x8c\x01"
                               "aK\x01sub."s;
    const PersistedLabels labels = read(pickle);
    EXPECT_EQ(labels.entries.size(), 1U);
    EXPECT_EQ(labels.max_seq_id, 7U);
}

TEST(IndexPickle, RefusesOtherClassesAndCalls) {
    EXPECT_NE(refusal("\x80\x03"
                      "cos\nsystem\n."s),
              "");
    EXPECT_NE(refusal("\x80\x04\x8c\x02os\x8c\x06system\x93."s), "");
    EXPECT_NE(refusal("\x80\x04)R."s), "");
}

TEST(IndexPickle, RefusesACutAtEveryByte) {
    const std::string whole = "\x80\x04}"s + id_to_label +
                              "}(\x8c\x01"
                              "aK\x01us."s;
    ASSERT_EQ(refusal(whole), "");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_NE(refusal(whole.substr(0, size)), "") << size;
    }
}

TEST(IndexPickle, RefusesSizesPastItsEndAndMemoSlotsOutOfOrder) {
    EXPECT_NE(refusal("\x8d\xff\xff\xff\xff\xff\xff\xff\x7f"
                      "a."s),
              "");
    EXPECT_NE(refusal("}r\xff\xff\xff\xff."s), "");
    EXPECT_NE(refusal("h\x00."s), "");
}

}  // namespace
}  // namespace decant::chroma::detail
