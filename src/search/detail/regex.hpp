#pragma once

#include <string>
#include <string_view>

namespace decant::search::detail {

/// Why an expression cannot be searched for; both are sentences for a person.
struct RegexFault {
    std::string happened;
    std::string remedy;
};

/// An expression in the syntax of Rust's regex crate, which Chroma uses, as one of PostgreSQL that matches the same
/// texts whatever the collation: classes are written out from Unicode's tables, case folding too. Needs a UTF-8
/// database. Throws RegexFault for what Rust refuses, and for the few things that are not translated: flags x, R and
/// -u, and repetitions over 255, which PostgreSQL does not have. Source: docs.rs/regex "Syntax"; PostgreSQL manual,
/// "POSIX Regular Expressions".
std::string postgres_regex(std::string_view pattern);

}  // namespace decant::search::detail
