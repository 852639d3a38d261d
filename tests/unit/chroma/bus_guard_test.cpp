#include "chroma/detail/bus_guard.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "chroma/detail/mapped_file.hpp"
#include "tests/unit/chroma/fixture.hpp"

namespace decant::chroma::test {
namespace {

class AMappedFileThatShrinks : public testing::Test {
protected:
    AMappedFileThatShrinks() {
        std::ofstream{path_} << std::string(20000, 'x');
        mapped_ = detail::MappedFile::open(path_);
        std::filesystem::resize_file(path_, 4096);
    }

    TempFolder folder_;
    std::filesystem::path path_ = folder_.path() / "file";
    std::optional<detail::MappedFile> mapped_;
};

TEST_F(AMappedFileThatShrinks, ReadsAsZerosUnderAGuardWhichTells) {
    const detail::BusGuard outer;
    {
        const detail::BusGuard inner;
        EXPECT_EQ(mapped_->bytes()[0], std::byte{'x'});
        EXPECT_FALSE(inner.has_faulted());
        EXPECT_EQ(mapped_->bytes()[9000], std::byte{0});
        EXPECT_TRUE(inner.has_faulted());
    }
    EXPECT_TRUE(outer.has_faulted());
    EXPECT_FALSE(detail::BusGuard{}.has_faulted());
}

using AMappedFileThatShrinksDeathTest = AMappedFileThatShrinks;

TEST_F(AMappedFileThatShrinksDeathTest, KillsTheProcessAsEverWithoutAGuard) {
    {
        const detail::BusGuard installs_the_handler;
    }
    EXPECT_DEATH(
        static_cast<void>(static_cast<volatile const std::byte*>(mapped_->bytes().data())[9000] == std::byte{}), "");
}

}  // namespace
}  // namespace decant::chroma::test
