#pragma once

#include <span>
#include <string_view>

namespace midonet::conf {

/// A template that comes with MidoNet.
struct ShippedTemplate {
    std::string_view name;
    std::string_view text;  ///< As Catalogue::accept() reads it.
};

std::span<const ShippedTemplate> shippedTemplates();

}  // namespace midonet::conf
