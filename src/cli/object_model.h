#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace midonet::cli {

/// How a value is written on the command line and in JSON.
enum class Kind : std::uint8_t {
    Text,         ///< As it is.
    Number,       ///< Sent as text, the server converts; within `least` and `most`.
    Limit,        ///< A number, or `no-limit` for -1.
    Ip,           ///< An address. With `companion`: the key of its version, 4 or 6.
    Mac,          ///< 02:00:00:00:00:01
    MacMask,      ///< ffff.0000.0000
    Prefix,       ///< 10.0.0.1/24 as one text. With `companion`: the key of the first one's address, unset with the field.
    Cidr,         ///< 10.0.0.0/24 as an address (`json`) and a length (`companion`).
    Range,        ///< 80 or 80-90, as {"start", "end"}.
    Word,         ///< One of `words`, each with its own spelling in JSON.
    Switch,       ///< One of two `words`: true, false.
    Either,       ///< One of two `words`: the first sets `json`, the second `companion`.
    Reference,    ///< Another object, of the type `target`.
    NatTargets,   ///< 10.0.0.1-10.0.0.9:80-90, several with commas.
};

/// One attribute of an object. Data only: built with the functions and modifiers below, read by whatever works on all types.
struct Field {
    std::string_view name = {};
    Kind kind = Kind::Text;
    std::string_view json = {};
    std::string_view words = {};      ///< "up down"; "normal=Normal reject=Reject" where JSON spells it otherwise.
    std::string_view target = {};     ///< Of a Reference: the name of a type.
    std::string_view companion = {};  ///< The second JSON key of some kinds.
    std::string_view inverted = {};   ///< JSON key of the flag that a leading '!' sets; empty: not invertible.
    std::string_view link = {};       ///< Set by POST to this link of the object, unset by DELETE.
    std::string_view inside = {};     ///< JSON key of the object that holds `json`; empty: the object itself.
    std::string_view selector = {};   ///< Applies only where this JSON key ...
    std::string_view selected = {};   ///< ... has this value; setting the field sets both.
    std::int64_t least = std::numeric_limits<std::int64_t>::min();
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
    bool many = false;       ///< A list, written with commas.
    bool readOnly = false;
    bool clearable = false;
    bool hidden = false;     ///< Not in descriptions; `show OBJECT FIELD` prints it.

    constexpr Field ro() const { return with(&Field::readOnly, true); }
    constexpr Field clear() const { return with(&Field::clearable, true); }
    constexpr Field hide() const { return with(&Field::hidden, true); }
    constexpr Field list() const { return with(&Field::many, true); }
    constexpr Field invert(std::string_view key) const { return with(&Field::inverted, key); }
    constexpr Field by(std::string_view linkKey) const { return with(&Field::link, linkKey); }
    constexpr Field within(std::int64_t low, std::int64_t high) const { return with(&Field::least, low).with(&Field::most, high); }
    constexpr Field where(std::string_view key, std::string_view value) const {
        return with(&Field::selector, key).with(&Field::selected, value);
    }

    template <class T>
    constexpr Field with(T Field::*member, T value) const {
        Field out = *this;
        out.*member = value;
        return out;
    }
};

/// A collection that an object, or the root of the API, has.
struct Collection {
    std::string_view name = {};  ///< The word on the command line.
    std::string_view type = {};
    std::string_view link = {};  ///< JSON key of its URI in the owner; of an embedded one, of the list itself.
    std::string_view owner = {};  ///< JSON key by which an element names its owner; empty: looked for in the list.
    std::string_view sortedBy = {};  ///< JSON key of a number; empty: in the order of the server.
    std::string_view gre = {};       ///< Media type of the elements where the owner's `type` is `gre`.
    bool creatable = true;
    bool perTenant = false;  ///< Lists ask for the current tenant.
    bool embedded = false;   ///< The elements are in the owner's own JSON.

    constexpr Collection fixed() const { return with(&Collection::creatable, false); }
    constexpr Collection ofTenant() const { return with(&Collection::perTenant, true); }
    constexpr Collection inOwner() const { return with(&Collection::embedded, true); }
    constexpr Collection sorted(std::string_view key) const { return with(&Collection::sortedBy, key); }
    constexpr Collection ofGre(std::string_view media) const { return with(&Collection::gre, media); }

    template <class T>
    constexpr Collection with(T Collection::*member, T value) const {
        Collection out = *this;
        out.*member = value;
        return out;
    }
};

/// A value that a created object has from the start.
struct Preset {
    std::string_view json = {};
    std::string_view value = {};
};

/// A type of objects.
struct Type {
    std::string_view name = {};       ///< How collections and references call it here.
    std::string_view word = {};       ///< First word of its lines, and what its aliases begin with.
    std::string_view mediaType = {};  ///< "Bridge-v4" of application/vnd.org.midonet.Bridge-v4+json.
    std::string_view item = {};       ///< Key of the root document: the URI of one by its id; empty: only through its collection.
    std::vector<Field> fields = {};   ///< In the order they are shown.
    std::vector<Collection> children = {};
    std::vector<Preset> presets = {};
    std::string_view ownerType = {};  ///< What it belongs to when it is met by reference ...
    std::string_view ownerKey = {};   ///< ... and the JSON key that names it.
    std::string_view variantKey = {};  ///< JSON key that tells which of `variants` an object is.
    std::vector<std::pair<std::string_view, std::string_view>> variants = {};  ///< Value of that key, name of a type.
    std::string_view changes = {};  ///< The classes whose changes it shows, as the change feed calls them, with commas between.
    bool live = false;  ///< It shows what the change feed does not tell: what is alive, active or learned.
    bool hasId = true;
    bool makesId = false;  ///< The client chooses the id.
    bool single = false;   ///< Not an element of a collection.
};

/// All types. Made once.
class ObjectModel {
public:
    static const ObjectModel& instance();

    /// The type of that name; every name used in the model is one.
    const Type& type(std::string_view name) const;
    /// What lines begin with: its children are the root collections.
    const Type& root() const { return type("root"); }
    const std::vector<Type>& types() const { return types_; }

private:
    explicit ObjectModel(std::vector<Type> types) : types_(std::move(types)) {}
    std::vector<Type> types_;
};

/// Fields of the type and of its variants, each name once.
std::vector<const Field*> allFields(const ObjectModel& model, const Type& type);
const Field* findField(const ObjectModel& model, const Type& type, std::string_view name);
/// Children likewise.
std::vector<const Collection*> allChildren(const ObjectModel& model, const Type& type);
const Collection* findChild(const ObjectModel& model, const Type& type, std::string_view name);

}  // namespace midonet::cli
