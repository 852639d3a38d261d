#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "chroma/record.hpp"

namespace decant::chroma::detail {

/// The records in the answer of a Chroma server to POST …/get or …/query (docs/formats/chroma.md). Kept from one answer
/// to the next, so that memory is.
class ServerPage {
public:
    ServerPage();
    ~ServerPage();

    /// Takes an answer apart; `body` must then stay as it is. False when it is no JSON, or cut. Numbers of vectors are
    /// rounded to float32 once, from their decimal digits. null in a vector or as a metadata value is a number that
    /// JSON cannot say (NaN, infinite) and becomes NaN, so that its record is rejected and not changed in silence.
    /// Throws Error{source_unreadable} when it is JSON of another form, as of lists that differ in length.
    bool parse(std::string& body);

    /// The same for the answer to one question: records in its order, each with its distance.
    bool parse_nearest(std::string& body);

    /// Sorted by id, bytewise, after parse. Views live until the next parse, and only as long as the body.
    std::span<const Record> records() const noexcept;

    /// Of the records that parse_nearest found; NaN for one that is no number.
    std::span<const double> distances() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace decant::chroma::detail
