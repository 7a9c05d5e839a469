#include "maintenance/diff.h"

#include <google/protobuf/message.h>

#include "model/exact_json.h"

namespace midonet::maintenance {
namespace {

constexpr std::string_view kUnset = "(unset)";

/// Walks two maps side by side: each key with its values, nullptr where there is none.
template <class Map, class Visit>
void together(const Map& before, const Map& after, const Visit& visit) {
    auto a = before.begin();
    auto b = after.begin();
    while (a != before.end() || b != after.end()) {
        const bool onlyA = b == after.end() || (a != before.end() && a->first < b->first);
        const bool onlyB = a == before.end() || (b != after.end() && b->first < a->first);
        visit(onlyB ? b->first : a->first, onlyB ? nullptr : &a->second, onlyA ? nullptr : &b->second);
        if (!onlyB) ++a;
        if (!onlyA) ++b;
    }
}

class Differ {
public:
    explicit Differ(const model::Schema& schema) : schema_(schema) {}

    std::vector<std::string> run(const Contents& before, const Contents& after) {
        together(before.objects, after.objects, [this](const ObjectName& name, const auto* a, const auto* b) {
            if (!oneSided(name.toString(), a, b)) changed(name, *a->message, *b->message);
        });
        together(before.entries, after.entries, [this](const Contents::EntryName& name, const auto* a, const auto* b) {
            const auto title = fmt::format("table {} key {}", name.first, name.second);
            if (!oneSided(title, a, b) && a->value != b->value) changed(title, a->value, b->value);
        });
        together(before.counters, after.counters, [this](const std::string& name, const auto* a, const auto* b) {
            const auto title = "counter " + name;
            if (!oneSided(title, a, b) && *a != *b) changed(title, std::to_string(*a), std::to_string(*b));
        });
        return std::move(out_);
    }

private:
    /// Whether it is on one side only; says so.
    bool oneSided(const std::string& title, const void* a, const void* b) {
        if (a != nullptr && b != nullptr) return false;
        out_.push_back((a == nullptr ? "+ " : "- ") + title);
        return true;
    }

    void changed(const std::string& title, const std::string& a, const std::string& b) {
        out_.push_back("~ " + title);
        out_.push_back(fmt::format("    {} -> {}", a, b));
    }

    void changed(const ObjectName& name, const model::Message& a, const model::Message& b) {
        const auto& type = schema_.of(a);
        const auto before = model::exactFields(type, a);
        const auto after = model::exactFields(type, b);
        if (before == after) return;
        out_.push_back("~ " + name.toString());
        together(before, after, [this](const std::string& field, const std::string* from, const std::string* to) {
            const auto text = [](const std::string* value) { return value == nullptr ? kUnset : std::string_view(*value); };
            if (text(from) != text(to)) out_.push_back(fmt::format("    {}: {} -> {}", field, text(from), text(to)));
        });
    }

    const model::Schema& schema_;
    std::vector<std::string> out_;
};

}  // namespace

std::vector<std::string> diff(const Contents& before, const Contents& after, const model::Schema& schema) {
    return Differ{schema}.run(before, after);
}

}  // namespace midonet::maintenance
