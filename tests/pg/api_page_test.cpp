// The web page over HTTP: its head, its files, what a browser may keep.

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/api_case.hpp"
#include "web/page.hpp"

namespace decant::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ApiPageTest : public testing::Test {
protected:
    static void SetUpTestSuite() { with_ = new test::ApiCase; }
    static void TearDownTestSuite() { delete with_; }

    static std::string file(const std::string& name) { return "/page/" + web::page_version() + "/" + name; }

    static inline test::ApiCase* with_ = nullptr;
};

TEST_F(ApiPageTest, IsServedUnderAStrictPolicy) {
    const net::HttpResponse page = with_->get("/", {"Accept-Language: es-AR"});
    ASSERT_EQ(page.status, 200) << page.body;
    EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(page.headers.at("content-security-policy"),
              "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src "
              "'self'; frame-ancestors 'none'; base-uri 'none'");
    EXPECT_EQ(page.headers.at("vary"), "Accept-Language");
    EXPECT_THAT(page.body, HasSubstr(R"(lang="es")"));
}

TEST_F(ApiPageTest, FilesMayBeKeptForGood) {
    for (const web::File& one : web::page_files()) {
        const net::HttpResponse response = with_->get(file(std::string{one.name}));
        ASSERT_EQ(response.status, 200) << one.name;
        EXPECT_EQ(response.body, one.bytes) << one.name;
        EXPECT_EQ(response.headers.at("content-type"), web::media_type(one.name));
        EXPECT_THAT(response.headers.at("cache-control"), HasSubstr("immutable"));
    }
}

TEST_F(ApiPageTest, FilesOfAnotherVersionAreNotThere) {
    EXPECT_EQ(with_->get("/page/0123456789abcdef/app.js").status, 404);
    EXPECT_EQ(with_->get(file("nothing.js")).status, 404);
    EXPECT_EQ(with_->get(file("..%2f..%2fetc%2fpasswd")).status, 404);
}

TEST_F(ApiPageTest, IsNoPartOfTheDocumentOfTheApi) {
    const net::HttpResponse document = with_->get("/openapi.json");
    EXPECT_EQ(document.body.find("/page/"), std::string::npos);
}

}  // namespace
}  // namespace decant::api
