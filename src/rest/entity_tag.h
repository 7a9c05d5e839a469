#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "http/message.h"
#include "model/json_writer.h"
#include "rest/fault.h"

namespace midonet::rest {

/// Names a representation by what is in it (RFC 9110 section 8.8.3): servers of one version give equal texts equal tags.
std::string entityTag(std::string_view text);
/// True when the value of If-Match or If-None-Match names the tag, or any.
bool namesTag(std::string_view header, std::string_view tag);
/// Tags an answer to GET that is whole; one that the client has already becomes 304 without a body.
void tagAnswer(const http::Request& request, http::Response& response);

/// 412 when the client says which one it means (If-Match), and GET would show it as `shown` now; inside the transaction that changes it.
Outcome<void> checkMatch(const http::Request& request, std::string_view shown);
/// The same, of what `show` writes when it is asked for.
template <class Show>
Outcome<void> checkMatch(const http::Request& request, const Show& show)
    requires std::is_invocable_v<Show, model::JsonWriter&>
{
    if (!request.headers.find("If-Match")) return {};
    model::JsonWriter json;
    if constexpr (std::is_void_v<std::invoke_result_t<Show, model::JsonWriter&>>)
        show(json);
    else
        DO_OR_REFUSE(show(json));
    return checkMatch(request, std::string_view{json.text()});
}

}  // namespace midonet::rest
