#include "core/service_manager.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/support/scratch_folder.hpp"
#include "tests/support/service_socket.hpp"

namespace decant {
namespace {

class ServiceManager : public testing::Test {
protected:
    ~ServiceManager() override {
        ::unsetenv("NOTIFY_SOCKET");
        std::filesystem::remove_all(folder_);
    }

    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    static void told_at(const std::string& socket) { ::setenv("NOTIFY_SOCKET", socket.c_str(), 1); }

private:
    std::filesystem::path folder_ = test::make_scratch_folder("notify");
};

TEST_F(ServiceManager, IsToldEachStateInAMessageOfItsOwn) {
    const test::ServiceSocket systemd{path("socket")};
    told_at(path("socket"));
    notify_service_manager("READY=1");
    notify_service_manager("STOPPING=1");
    EXPECT_EQ(systemd.next_at_once(), "READY=1");
    EXPECT_EQ(systemd.next_at_once(), "STOPPING=1");
    EXPECT_EQ(systemd.next_at_once(), "");
}

TEST_F(ServiceManager, IsReachedByANameOfTheAbstractNamespace) {
    const std::string name = "@decant-test-" + std::to_string(::getpid());
    const test::ServiceSocket systemd{name};
    told_at(name);
    notify_service_manager("READY=1");
    EXPECT_EQ(systemd.next_at_once(), "READY=1");
}

TEST_F(ServiceManager, IsToldNothingByANameThatIsNoSocket) {
    const test::ServiceSocket systemd{path("socket")};
    for (const std::string& name : {path("nobody"), std::string(200, '/'), std::string{"relative"}, std::string{}}) {
        told_at(name);
        notify_service_manager("READY=1");
    }
    EXPECT_EQ(systemd.next_at_once(), "");
}

}  // namespace
}  // namespace decant
