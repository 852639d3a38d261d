#include "search/chroma_search.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.hpp"
#include "core/settings.hpp"
#include "tests/support/scratch_folder.hpp"

namespace decant::search {
namespace {

namespace fs = std::filesystem;

class ConfiguredChroma : public testing::Test {
protected:
    ConfiguredChroma() { fs::current_path(folder_); }
    ~ConfiguredChroma() override {
        fs::current_path(before_);
        fs::remove_all(folder_);
    }

    static std::unique_ptr<ChromaSearch> from(const Settings::Variables& environment) {
        return ChromaSearch::from(Settings::from({}, environment));
    }

    fs::path before_ = fs::current_path();
    fs::path folder_ = test::make_scratch_folder("configured");
};

TEST_F(ConfiguredChroma, IsNoneWhereNothingIsSetAndTheDefaultIsNotThere) {
    EXPECT_EQ(from({}), nullptr);
    EXPECT_EQ(from({{"CHROMA_COLLECTION", "products"}}), nullptr);
}

TEST_F(ConfiguredChroma, IsTheDefaultFolderWhereThatIsThere) {
    fs::create_directories("data/vector_db");
    ASSERT_NE(from({}), nullptr);
    EXPECT_EQ(from({})->place(), "collection 'products_all_products' of data/vector_db");
}

TEST_F(ConfiguredChroma, IsWhatIsSetWhetherThatIsThereOrNot) {
    EXPECT_EQ(from({{"CHROMA_PATH", "nowhere"}, {"CHROMA_COLLECTION", "c"}})->place(), "collection 'c' of nowhere");
    EXPECT_NE(from({{"CHROMA_PATH", "data/vector_db"}}), nullptr) << "the default, written down";
    EXPECT_EQ(from({{"CHROMA_URL", "http://ana:secret@localhost:8000"}})->place(),
              "collection 'products_all_products' of http://localhost:8000");
}

TEST_F(ConfiguredChroma, IsAnErrorWhereSettingsContradictEachOther) {
    EXPECT_THROW(from({{"CHROMA_PATH", "a"}, {"CHROMA_URL", "http://localhost:8000"}}), Error);
    EXPECT_THROW(from({{"CHROMA_URL", "http://"}}), Error);
}

}  // namespace
}  // namespace decant::search
