#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace midonet::rest {

/// Names a representation by what is in it (RFC 9110 section 8.8.3): servers of one version give equal texts equal tags.
std::string entityTag(std::string_view text);
/// True when the value of If-Match or If-None-Match names the tag, or any.
bool namesTag(std::string_view header, std::string_view tag);
/// Tags an answer to GET that is whole; one that the client has already becomes 304 without a body.
void tagAnswer(const http::Request& request, http::Response& response);

}  // namespace midonet::rest
