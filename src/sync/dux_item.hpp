#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sync/amount.hpp"
#include "sync/incoming.hpp"

namespace decant::sync {

/// How figures and lists of a DUX account are to be read.
struct DuxReading {
    DecimalMark mark = DecimalMark::automatic;
    std::string price_list = "LISTA GENERAL";
    std::string stock_location = "LOCAL";
};

/// Reads answers to GET /items, of version 1 and 2 of the API. One thread at a time.
class DuxPages {
public:
    explicit DuxPages(DuxReading reading);
    ~DuxPages();

    /// An item that cannot be had has a fault of its own. An answer that is no page of items (HTML, cut, an error that
    /// came with status 200) gives a page with a fault.
    Page read(std::string_view body, std::size_t offset);

private:
    struct Parser;
    DuxReading reading_;
    std::unique_ptr<Parser> parser_;
};

}  // namespace decant::sync
