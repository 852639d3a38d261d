#include "operate/backup_manifest.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <span>
#include <system_error>

#include "core/error.hpp"
#include "core/read_file.hpp"
#include "core/sha256.hpp"

namespace decant::operate {
namespace {

namespace fs = std::filesystem;

constexpr int format_version = 1;
constexpr std::string_view head = "{\"sha256\":\"";
constexpr std::string_view after_digest = "\",";
constexpr std::size_t digest_digits = 64;

json::object json_of(const BackupFile& file) {
    return {{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}};
}

json::object json_of(const DatabaseProperties& properties) {
    json::value grants = nullptr;
    if (properties.grants) {
        json::array all;
        for (const DatabaseGrant& grant : *properties.grants)
            all.push_back(json::object{
                {"role", grant.role}, {"privilege", grant.privilege}, {"is_grantable", grant.is_grantable}});
        grants = std::move(all);
    }
    json::array settings;
    for (const DatabaseSetting& setting : properties.settings)
        settings.push_back(json::object{{"role", setting.role}, {"name", setting.name}, {"value", setting.value}});
    return {{"name", properties.name},
            {"encoding", properties.encoding},
            {"provider", properties.provider},
            {"collate", properties.collate},
            {"ctype", properties.ctype},
            {"locale", properties.locale},
            {"owner", properties.owner},
            {"grants", std::move(grants)},
            {"settings", std::move(settings)},
            {"roles", json::array(properties.roles.begin(), properties.roles.end())},
            {"extensions", json::array(properties.extensions.begin(), properties.extensions.end())}};
}

json::object json_of(const DatabaseBackup& database) {
    json::array tables;
    for (const TableDigest& table : database.tables) {
        tables.push_back(json::object{{"schema", table.schema},
                                      {"name", table.name},
                                      {"rows", table.rows},
                                      {"digest", table.digest},
                                      {"dimension", table.dimension}});
    }
    return {{"file", json_of(database.file)},
            {"system_identifier", database.system_identifier},
            {"server_version", database.server_version},
            {"pg_dump_version", database.pg_dump_version},
            {"properties", json_of(database.properties)},
            {"rows", database.rows()},
            {"tables", std::move(tables)}};
}

json::value json_of(const std::optional<ChromaBackup>& chroma) {
    if (!chroma) return nullptr;
    json::array collections;
    for (const CollectionCount& collection : chroma->collections) {
        collections.push_back(
            json::object{{"name", collection.name}, {"id", collection.id}, {"records", collection.records}});
    }
    return json::object{{"file", json_of(chroma->file)},
                        {"path", chroma->path},
                        {"seq_id", chroma->seq_id},
                        {"collections", std::move(collections)}};
}

std::string text(const json::value& object, std::string_view name) {
    return std::string{object.at(name).as_string()};
}

std::uint64_t number(const json::value& object, std::string_view name) {
    return object.at(name).to_number<std::uint64_t>();
}

BackupFile file_of(const json::value& object) {
    BackupFile file{.name = text(object, "name"), .bytes = number(object, "bytes"), .sha256 = text(object, "sha256")};
    if (file.name.empty() || file.name.find('/') != std::string::npos || file.name.starts_with('.'))
        throw std::runtime_error("no file of the folder: " + file.name);
    return file;
}

DatabaseProperties properties_of(const json::value& object) {
    DatabaseProperties properties{.name = text(object, "name"),
                                  .encoding = text(object, "encoding"),
                                  .provider = text(object, "provider"),
                                  .collate = text(object, "collate"),
                                  .ctype = text(object, "ctype"),
                                  .locale = text(object, "locale"),
                                  .owner = text(object, "owner"),
                                  .grants = {},
                                  .settings = {},
                                  .roles = {},
                                  .extensions = {}};
    if (!object.at("grants").is_null()) {
        properties.grants.emplace();
        for (const json::value& grant : object.at("grants").as_array())
            properties.grants->push_back(
                {text(grant, "role"), text(grant, "privilege"), grant.at("is_grantable").as_bool()});
    }
    for (const json::value& setting : object.at("settings").as_array())
        properties.settings.push_back({text(setting, "role"), text(setting, "name"), text(setting, "value")});
    for (const json::value& role : object.at("roles").as_array())
        properties.roles.emplace_back(role.as_string());
    for (const json::value& extension : object.at("extensions").as_array())
        properties.extensions.emplace_back(extension.as_string());
    return properties;
}

DatabaseBackup database_of(const json::value& object) {
    const json::value* identifier = object.as_object().if_contains("system_identifier");
    DatabaseBackup database{.file = file_of(object.at("file")),
                            .system_identifier = identifier == nullptr ? "" : std::string{identifier->as_string()},
                            .server_version = text(object, "server_version"),
                            .pg_dump_version = text(object, "pg_dump_version"),
                            .properties = properties_of(object.at("properties")),
                            .tables = {}};
    for (const json::value& table : object.at("tables").as_array()) {
        database.tables.push_back({text(table, "schema"), text(table, "name"), number(table, "rows"),
                                   text(table, "digest"), static_cast<std::uint32_t>(number(table, "dimension"))});
    }
    return database;
}

std::optional<ChromaBackup> chroma_of(const json::value& object) {
    if (object.is_null()) return std::nullopt;
    ChromaBackup chroma{.file = file_of(object.at("file")),
                        .path = text(object, "path"),
                        .seq_id = number(object, "seq_id"),
                        .collections = {}};
    for (const json::value& collection : object.at("collections").as_array())
        chroma.collections.push_back({text(collection, "name"), text(collection, "id"), number(collection, "records")});
    return chroma;
}

[[noreturn]] void throw_damaged(const fs::path& file, std::string_view why) {
    throw Error{ErrorCode::source_unreadable, fmt::format("{} {}", file.string(), why),
                "Take another backup: `decant backup list` shows which there are."};
}

std::string read_whole(const fs::path& file) {
    constexpr std::size_t most_bytes = 64U << 20U;
    return read_file(file.string(),
                     {.what = "manifest", .most_bytes = most_bytes, .remedy = "It is none of decant's."});
}

}  // namespace

BackupFile measure_file(const fs::path& path) {
    BackupFile measured{.name = path.filename().string(), .bytes = 0, .sha256 = {}};
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    Sha256 hash;
    std::vector<std::byte> buffer(std::size_t{1} << 20U);
    ssize_t got = file < 0 ? -1 : 1;
    while (got > 0 && (got = ::read(file, buffer.data(), buffer.size())) > 0) {
        hash.update(std::span{buffer.data(), static_cast<std::size_t>(got)});
        measured.bytes += static_cast<std::uint64_t>(got);
    }
    const int failure = errno;
    if (file >= 0) ::close(file);
    if (got < 0) throw_damaged(path, fmt::format("cannot be read: {}", std::generic_category().message(failure)));
    measured.sha256 = hex(hash.finish());
    return measured;
}

std::uint64_t DatabaseBackup::rows() const noexcept {
    std::uint64_t sum = 0;
    for (const TableDigest& table : tables)
        sum += table.rows;
    return sum;
}

std::vector<BackupFile> Manifest::files() const {
    std::vector<BackupFile> all{database.file};
    if (chroma) all.push_back(chroma->file);
    return all;
}

std::uint64_t Manifest::bytes() const {
    std::uint64_t sum = 0;
    for (const BackupFile& file : files())
        sum += file.bytes;
    return sum;
}

json::object json_of(const Manifest& manifest) {
    return {{"format", format_version},
            {"decant", manifest.decant_version},
            {"made_at", manifest.made_at},
            {"database", json_of(manifest.database)},
            {"chroma", json_of(manifest.chroma)}};
}

std::string text_of(const Manifest& manifest) {
    const std::string body = json_text(json_of(manifest)).substr(1) + "\n";
    return fmt::format("{}{}{}{}", head, hex(sha256(body)), after_digest, body);
}

Manifest read_manifest(const fs::path& folder) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) {
        throw Error{ErrorCode::not_found, fmt::format("There is no folder {}", folder.string()),
                    "`decant backup list` shows which backups there are."};
    }
    const fs::path file = folder / manifest_name;
    if (!fs::is_regular_file(file, ignored)) throw_damaged(file, "is missing: this is no whole backup");
    const std::string content = read_whole(file);
    const std::string_view whole = content;
    const std::size_t body_start = head.size() + digest_digits + after_digest.size();
    const bool is_ours = whole.size() > body_start && whole.starts_with(head) &&
                         whole.substr(head.size() + digest_digits, after_digest.size()) == after_digest &&
                         whole.substr(head.size(), digest_digits) == hex(sha256(whole.substr(body_start)));
    if (!is_ours) throw_damaged(file, "was changed since it was written");
    try {
        const json::value value = json::parse("{" + std::string{whole.substr(body_start)});
        if (number(value, "format") != format_version) throw_damaged(file, "is of a newer decant: use that one");
        return {.decant_version = text(value, "decant"),
                .made_at = text(value, "made_at"),
                .database = database_of(value.at("database")),
                .chroma = chroma_of(value.at("chroma"))};
    } catch (const Error&) {
        throw;
    } catch (const std::exception& error) {
        throw_damaged(file, fmt::format("is no manifest of decant: {}", error.what()));
    }
}

}  // namespace decant::operate
