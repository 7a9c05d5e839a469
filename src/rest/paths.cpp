#include "rest/paths.h"

#include <algorithm>

namespace midonet::rest {

std::string dashed(const net::Mac& mac) {
    auto text = mac.toString();
    std::replace(text.begin(), text.end(), ':', '-');
    return text;
}

}  // namespace midonet::rest
