#pragma once

#include <cstdint>

namespace decant::chroma::detail {

/// While one lives, a page of a mapped file that is gone (another process truncated the file) reads as zeros in this
/// thread instead of killing the process, and has_faulted() tells. Faults outside of guards go to the handler that was
/// there before. May be nested; the outer one sees the faults of the inner.
class BusGuard {
public:
    BusGuard() noexcept;
    BusGuard(const BusGuard&) = delete;
    BusGuard& operator=(const BusGuard&) = delete;
    ~BusGuard();

    bool has_faulted() const noexcept;

private:
    std::uint64_t faults_before_;
};

}  // namespace decant::chroma::detail
