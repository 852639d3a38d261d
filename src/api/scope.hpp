#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/enum_names.hpp"

/// api/: the program as an HTTP server: who may call, what a call asks for, what it is answered.
namespace decant::api {

/// What a call needs its caller to have. No scope holds another: admin is for administration and no more. `open` needs
/// nothing and is never given.
enum class Scope { open, search, embed, chat, admin, metrics };
inline constexpr EnumNames<Scope, 6> scope_names{{"open", "search", "embed", "chat", "admin", "metrics"}};

/// The scopes that somebody has.
class ScopeSet {
public:
    constexpr ScopeSet() = default;
    /// Names that are no scope are left out, and so is `open`.
    template <typename Names>
    static constexpr ScopeSet of(const Names& names) {
        ScopeSet scopes;
        for (const auto& name : names) {
            if (const std::optional<Scope> scope = scope_names.find(name)) scopes.add(*scope);
        }
        return scopes;
    }
    static constexpr ScopeSet all() { return of(scope_names.names); }

    constexpr void add(Scope scope) noexcept { bits_ |= bit(scope); }
    constexpr bool has(Scope scope) const noexcept { return scope == Scope::open || (bits_ & bit(scope)) != 0; }
    constexpr bool empty() const noexcept { return bits_ == 0; }
    friend constexpr bool operator==(ScopeSet, ScopeSet) = default;

private:
    static constexpr std::uint32_t bit(Scope scope) noexcept {
        return scope == Scope::open ? 0U : 1U << static_cast<unsigned>(scope);
    }
    std::uint32_t bits_ = 0;
};

}  // namespace decant::api
