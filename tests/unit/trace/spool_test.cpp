// Files of runs: whose turn it is, and what of them is lost.

#include "trace/spool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/scratch_folder.hpp"
#include "tests/support/trace_case.hpp"

namespace decant::trace {
namespace {

using test::small_record;
using testing::ElementsAre;

class SpoolTest : public testing::Test {
protected:
    ~SpoolTest() override { std::filesystem::remove_all(folder_); }

    void put(const std::string& request) { spool_.put(test::runs_of(*small_record(request))); }
    std::string next() {
        const auto runs = spool_.next();
        return runs ? runs->front().request_id : "none";
    }
    std::filesystem::path first_file() const {
        std::set<std::filesystem::path> files;
        for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator{folder_})
            files.insert(entry.path());
        return *files.begin();
    }

    std::filesystem::path folder_ = test::make_scratch_folder("spool");
    Spool spool_{folder_, 1UL << 20U};
};

TEST_F(SpoolTest, GivesTheOldestFileUnlessItIsSkippedAndAgainAfterADelivery) {
    for (const char* request : {"a", "b", "c"})
        put(request);
    std::vector<std::string> order{next()};
    spool_.skip_next();
    order.push_back(next());
    spool_.remove_next();
    order.push_back(next());
    spool_.remove_next();
    order.push_back(next());
    spool_.remove_next();
    EXPECT_THAT(order, ElementsAre("a", "b", "a", "c"));
    EXPECT_EQ(next(), "none");
}

TEST_F(SpoolTest, CountsFailuresBetweenWhichSomethingWasTaken) {
    put("a");
    EXPECT_EQ(spool_.count_failure(5), 1);
    EXPECT_EQ(spool_.count_failure(5), 1) << "nothing is taken at all";
    EXPECT_EQ(spool_.count_failure(6), 2);
    const auto runs = spool_.next();
    spool_.halve_next({&runs->at(0), &runs->at(1), &runs->at(2)});
    EXPECT_EQ(spool_.count(), 2U);
    EXPECT_EQ(spool_.next()->size(), 1U);
    spool_.skip_next();
    EXPECT_EQ(spool_.next()->size(), 2U);
    EXPECT_EQ(spool_.count_failure(6), 2) << "of a half";
    EXPECT_EQ(Spool(folder_, 1).count(), 2U) << "on the disk, too";
}

TEST_F(SpoolTest, CountsWhatIsLostWithADamagedFileAndNotWhatAnotherProcessTook) {
    for (const char* request : {"damaged", "taken", "there"})
        put(request);
    std::filesystem::resize_file(first_file(), 100);
    EXPECT_EQ(next(), "taken");
    EXPECT_EQ(spool_.take_dropped(), 3U);
    std::filesystem::remove(first_file());
    EXPECT_EQ(next(), "there");
    EXPECT_EQ(spool_.take_dropped(), 0U);
}

}  // namespace
}  // namespace decant::trace
