#pragma once

#include <boost/json/value.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/names.h"
#include "cli/objects.h"

namespace midonet::cli {

struct OutputStyle {
    bool colours = false;
    bool json = false;  ///< Objects as the server shows them instead of lines.
};

/// How objects are printed.
class Output {
public:
    Output(std::ostream& out, Names& names, OutputStyle style) : out_(out), names_(names), style_(style) {}

    /// `list`: a line for each.
    void list(const std::vector<ObjectPtr>& objects);
    /// `show OBJECT`.
    void object(const Object& object);
    /// `create`: what the new object is called.
    void created(const Object& object);
    /// `show OBJECT FIELD`; an empty line when it is unset.
    void field(const Object& object, const Field& field);
    /// `describe`: collections and fields of a type.
    void type(const ObjectModel& model, const Type& type);
    /// What would happen to a packet: a line for each step, one for each place where it leaves, or why it does not.
    void packetTrace(const boost::json::value& trace);
    void line(std::string_view text);

private:
    /// "bridge bridge0: floods"
    std::string traceStep(const boost::json::object& step);
    /// "leaves through bridge0:port1 on host0: hw-src ..."
    std::string traceOutput(const boost::json::object& output);
    /// "name red state up"
    std::string description(const Object& object);
    std::string typeAndName(const Object& object);
    std::string coloured(std::string_view text, std::string_view code) const;
    void document(const boost::json::value& value);

    std::ostream& out_;
    Names& names_;
    OutputStyle style_;
};

/// Names in columns, from top to bottom, for a screen of 76 characters; "<NONE>" for none.
std::string inColumns(const std::vector<std::string_view>& names);

}  // namespace midonet::cli
