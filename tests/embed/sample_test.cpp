// sample/: its Chroma directory holds what decant itself would have stored, so that migrate finds its vectors usable.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <numeric>

#include "catalog/embedding_text.hpp"
#include "catalog/product_file.hpp"
#include "chroma/source.hpp"
#include "embed/local_embedder.hpp"
#include "embed/model_folder.hpp"
#include "tests/support/scratch_folder.hpp"

namespace decant::embed {
namespace {

namespace fs = std::filesystem;

class Sample : public testing::Test {
protected:
    Sample() {
        const std::string sample = DECANT_SOURCE_DIR "/sample";
        const std::string unpack = "cd '" + folder_.string() + "' && tar -xzf '" + sample +
                                   "/chroma.tar.gz' && gzip -dc '" + sample + "/products.jsonl.gz' >products";
        if (std::system(unpack.c_str()) != 0) throw std::runtime_error{"the sample cannot be unpacked"};
        source_ = chroma::open_source({.from = (folder_ / "chroma").string()});
        records_ = source_->read(source_->collections().front());
    }
    ~Sample() override { fs::remove_all(folder_); }

    /// By the ids of their records.
    std::map<std::string, std::string, std::less<>> texts() const {
        std::ifstream file{folder_ / "products", std::ios::binary};
        const std::string whole{std::istreambuf_iterator<char>{file}, {}};
        catalog::ProductFile products{whole, catalog::FileFormat::jsonl};
        std::map<std::string, std::string, std::less<>> texts;
        while (const auto record = products.next()) {
            texts["product_" + record->product.id.value()] =
                catalog::embedding_text(record->product, catalog::TextRecipe::labelled);
        }
        return texts;
    }

    fs::path folder_ = test::make_scratch_folder("sample");
    std::unique_ptr<chroma::Source> source_;
    std::unique_ptr<chroma::RecordReader> records_;
};

TEST_F(Sample, HasDocumentsThatAreTheTextOfTheirProducts) {
    const auto expected = texts();
    std::size_t seen = 0;
    for (auto page = records_->next_page(200); !page.empty(); page = records_->next_page(200)) {
        for (const chroma::Record& record : page) {
            EXPECT_EQ(record.document.value(), expected.find(record.id)->second);
            ++seen;
        }
    }
    EXPECT_EQ(seen, 1200U);
}

TEST_F(Sample, HasTheVectorsThatTheDefaultModelMakesOfItsDocuments) {
    const auto model = open_local({.models = find_model_folder(std::nullopt)});
    const auto page = records_->next_page(16);
    ASSERT_EQ(page.size(), 16U);
    std::vector<std::string_view> documents;
    for (const chroma::Record& record : page)
        documents.push_back(record.document.value());
    const auto vectors = model->embed(documents, Role::passage);
    for (std::size_t i = 0; i < page.size(); ++i) {
        const auto& [mine, stored] = std::tie(vectors[i].values, page[i].vector);
        ASSERT_EQ(mine.size(), stored.size());
        // Both are of length 1.
        EXPECT_GE(std::inner_product(mine.begin(), mine.end(), stored.begin(), 0.0), 0.999) << documents[i];
    }
}

}  // namespace
}  // namespace decant::embed
