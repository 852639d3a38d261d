#pragma once
#include <string>
#include "core/settings.hpp"
namespace decant::store {
struct DatabaseAddress {
    std::string conninfo;
    std::string shown;
    bool is_embedded = false;
};
DatabaseAddress resolve_database(const Settings& settings);
}  // namespace decant::store
