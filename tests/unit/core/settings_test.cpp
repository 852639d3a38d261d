#include "core/settings.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace decant {
namespace {

namespace fs = std::filesystem;

/// A folder of its own for each test, removed at its end.
class SettingsTest : public testing::Test {
protected:
    SettingsTest() {
        std::string pattern = (fs::temp_directory_path() / "decant-settings-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
    }
    ~SettingsTest() override { fs::remove_all(folder_); }

    std::string file(const std::string& name, std::string_view text, fs::perms mode = fs::perms{0600}) const {
        const fs::path path = folder_ / name;
        std::ofstream{path} << text;
        fs::permissions(path, mode);
        return path.string();
    }

    Settings with_dotenv(std::string_view text, Settings::Variables environment = {}) const {
        environment["DECANT_ENV_FILE"] = file("env", text);
        return Settings::from({}, environment);
    }

    std::string complaint_about(std::string_view dotenv, const Settings::Variables& environment = {}) const {
        try {
            with_dotenv(dotenv, environment);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::config_invalid);
            return error.happened() + "; " + error.remedy();
        }
        return "none";
    }

    fs::path folder_;
};

TEST_F(SettingsTest, PreferFlagToEnvironmentToDotenvToDefault) {
    const std::string dotenv = file("env", "DB_HOST=c\nDB_USER=c\nDB_NAME=c\n");
    const Settings settings =
        Settings::from({{"DB_HOST", "a"}}, {{"DB_HOST", "b"}, {"DB_USER", "b"}, {"DECANT_ENV_FILE", dotenv}});
    EXPECT_EQ(settings.get("DB_HOST"), "a");
    EXPECT_EQ(settings.origin("DB_HOST"), SettingOrigin::flag);
    EXPECT_EQ(settings.get("DB_USER"), "b");
    EXPECT_EQ(settings.origin("DB_USER"), SettingOrigin::environment);
    EXPECT_EQ(settings.get("DB_NAME"), "c");
    EXPECT_EQ(settings.origin("DB_NAME"), SettingOrigin::dotenv);
    EXPECT_EQ(settings.get("DB_PORT"), "5432");
    EXPECT_EQ(settings.origin("DB_PORT"), SettingOrigin::default_value);
    EXPECT_EQ(settings.get("DB_PASSWORD"), std::nullopt);
    EXPECT_EQ(settings.origin("DB_PASSWORD"), SettingOrigin::unset);
}

TEST_F(SettingsTest, TakeAnEmptyValueAsNotSet) {
    const Settings settings = with_dotenv("DB_NAME=\n", {{"DB_PORT", ""}});
    EXPECT_EQ(settings.get("DB_NAME"), "aynux");
    EXPECT_EQ(settings.get("DB_PORT"), "5432");
}

TEST_F(SettingsTest, ReadASecretFromTheFileThatKeyFileNames) {
    const Settings settings = Settings::from({}, {{"DB_PASSWORD_FILE", file("password", "hush\n")}});
    EXPECT_EQ(settings.get("DB_PASSWORD"), "hush");
    EXPECT_EQ(settings.origin("DB_PASSWORD"), SettingOrigin::environment);
}

TEST_F(SettingsTest, RefuseASecretFileThatEveryoneMayRead) {
    const std::string path = file("password", "hush\n", fs::perms{0644});
    try {
        Settings::from({}, {{"DB_PASSWORD_FILE", path}});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.happened(), path + " may be read by every user of this machine (mode 0644)");
        EXPECT_EQ(error.remedy(), "chmod 600 " + path);
    }
}

TEST_F(SettingsTest, RefuseAnUnknownDecantKeyNamingTheNearest) {
    EXPECT_THAT(complaint_about("", {{"DECANT_HOMW", "x"}}),
                testing::AllOf(testing::HasSubstr("the environment: there is no setting DECANT_HOMW"),
                               testing::HasSubstr("did you mean DECANT_HOME?")));
    EXPECT_THAT(complaint_about("\nDECANT_POSTGRESDIR=x"),
                testing::AllOf(testing::HasSubstr("env, line 2: there is no setting DECANT_POSTGRESDIR"),
                               testing::HasSubstr("did you mean DECANT_POSTGRES_DIR?")));
    EXPECT_NO_THROW(Settings::from({}, {{"DECANT_TEST_OLLAMA", "of the tests"}}));
}

TEST_F(SettingsTest, IgnoreTheKeysOfOtherPrograms) {
    EXPECT_NO_THROW(with_dotenv("DJANGO_SECRET=x\nDJANGO_SECRET=y\n", {{"HOME", "/"}}));
}

TEST_F(SettingsTest, RefuseAKeyThatIsSetTwiceInDotenv) {
    EXPECT_THAT(complaint_about("DB_HOST=a\nDB_HOST=b"),
                testing::HasSubstr("line 2: DB_HOST is set again, after line 1"));
}

TEST_F(SettingsTest, RefuseAValueThatIsNotAllowedWithoutShowingIt) {
    const std::string complaint = complaint_about("DB_PORT=70000");
    EXPECT_THAT(complaint, testing::HasSubstr("line 1: DB_PORT has a value that is not allowed"));
    EXPECT_THAT(complaint, testing::HasSubstr("a number of 1..65535"));
    EXPECT_THAT(complaint, testing::Not(testing::HasSubstr("70000")));
    EXPECT_THAT(complaint_about("", {{"LOG_LEVEL", "loud"}}), testing::HasSubstr("one of debug|info|warning|error"));
}

TEST_F(SettingsTest, NeverShowASecretInAnError) {
    for (const std::string line :
         {"DB_PASSWORD hunter2", "DB_PASSWORD='hunter2", "DB_PASSWORD='a'hunter2", "DB_PASSWORD=hunter2${x}",
          "DECANT_PASSWORD=hunter2", "DB_PASSWORD=hunter2\nhunter2"}) {
        const std::string complaint = complaint_about(line);
        EXPECT_NE(complaint, "none") << line;
        EXPECT_THAT(complaint, testing::Not(testing::HasSubstr("hunter2")));
    }
}

TEST_F(SettingsTest, RefuseASecretThatIsGivenTwice) {
    EXPECT_THAT(complaint_about("", {{"DB_PASSWORD", "a"}, {"DB_PASSWORD_FILE", "b"}}),
                testing::HasSubstr("DB_PASSWORD and DB_PASSWORD_FILE are both set"));
}

TEST_F(SettingsTest, RefuseANamedDotenvThatIsMissing) {
    EXPECT_THROW(Settings::from({}, {{"DECANT_ENV_FILE", (folder_ / "none").string()}}), Error);
}

TEST_F(SettingsTest, MakeTheCommittedExample) {
    std::ifstream committed{DECANT_SOURCE_DIR "/.env.example"};
    const std::string text{std::istreambuf_iterator<char>{committed}, {}};
    EXPECT_EQ(text, dotenv_example()) << "run: decant config --env-example > .env.example";
}

TEST_F(SettingsTest, MakeTheCommittedDocument) {
    std::ifstream committed{DECANT_SOURCE_DIR "/docs/settings.md"};
    const std::string text{std::istreambuf_iterator<char>{committed}, {}};
    EXPECT_EQ(text, settings_document()) << "run: decant config --markdown > docs/settings.md";
}

TEST_F(SettingsTest, GiveAnExampleThatChangesNothing) {
    const Settings settings = with_dotenv(dotenv_example());
    for (const SettingSpec& setting : all_settings()) {
        if (setting.key == "DECANT_ENV_FILE") continue;
        EXPECT_NE(settings.origin(setting.key), SettingOrigin::dotenv) << setting.key;
    }
}

}  // namespace
}  // namespace decant
