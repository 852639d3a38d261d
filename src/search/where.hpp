#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/enum_names.hpp"

namespace decant::search {

/// Chroma's filter language as Chroma 1.5 takes and refuses it. docs/where.md says what each operator means.
enum class Comparator { eq, ne, gt, gte, lt, lte, in, nin, contains, not_contains };
inline constexpr EnumNames<Comparator, 10> comparator_names{
    {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$contains", "$not_contains"}};

using WhereValue = std::variant<bool, std::int64_t, double, std::string>;

/// One key of the metadata against a value, or with in and nin several of one type.
struct Comparison {
    std::string key;
    Comparator comparator = Comparator::eq;
    std::vector<WhereValue> values;  ///< at least one
};

enum class DocumentTest { contains, not_contains, regex, not_regex };
inline constexpr EnumNames<DocumentTest, 4> document_test_names{{"$contains", "$not_contains", "$regex", "$not_regex"}};

struct DocumentMatch {
    DocumentTest test = DocumentTest::contains;
    std::string operand;  ///< a text; with regex and not_regex an expression as PostgreSQL writes it
};

struct Where;

/// $and or $or of at least two.
struct Combination {
    bool is_and = true;
    std::vector<Where> parts;
};

struct Where {
    std::variant<Comparison, DocumentMatch, Combination> node;
};

/// Both throw Error{request_invalid} naming the place as a JSON pointer, and what may stand there.
Where parse_where(std::string_view json);
Where parse_where_document(std::string_view json);

}  // namespace decant::search
