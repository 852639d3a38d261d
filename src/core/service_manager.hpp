#pragma once

#include <string_view>

namespace decant {

/// Tells systemd, or who else set NOTIFY_SOCKET, of the service's state (sd_notify(3)): "READY=1", "RELOADING=1",
/// "STOPPING=1", "STATUS=…". Nothing happens where nobody asked.
void notify_service_manager(std::string_view state) noexcept;

}  // namespace decant
