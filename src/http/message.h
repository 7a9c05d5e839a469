#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace midonet::http {

enum class Method : std::uint8_t { Get, Head, Post, Put, Delete, Options, Patch, Other };

/// The word on the request line: "GET".
std::string_view toString(Method method);
/// Case-sensitive, as RFC 9110 section 9.1 says; anything unknown is Other.
Method parseMethod(std::string_view text);

/// Reason phrase of a status: 404 -> "Not Found".
std::string_view reasonPhrase(int status);

/// Header fields in the order and spelling they were given; looked up without regard to case.
class Headers {
public:
    struct Field {
        std::string name;
        std::string value;
    };

    void add(std::string_view name, std::string_view value) { fields_.push_back({std::string{name}, std::string{value}}); }
    /// Replaces every field of that name.
    void set(std::string_view name, std::string_view value);
    /// The first field of that name; nullopt when there is none.
    std::optional<std::string_view> find(std::string_view name) const;
    const std::vector<Field>& fields() const { return fields_; }

private:
    std::vector<Field> fields_;
};

/// True when the two are equal but for ASCII case.
bool equalNoCase(std::string_view a, std::string_view b);

/// "%41" -> "A". nullopt when a '%' is not followed by two hex digits. `plusIsBlank` for queries.
std::optional<std::string> percentDecode(std::string_view text, bool plusIsBlank = false);
/// Everything but unreserved characters (RFC 3986 section 2.3) as "%XX"; for one path segment.
std::string percentEncode(std::string_view text);

struct Request {
    Method method = Method::Get;
    std::string target;  ///< As received: path and query.
    Headers headers;
    std::string body;
    std::string peer{};   ///< Address and port of the client, as text.
    std::string id{};     ///< Given by the server: the answer's X-Request-Id, for finding it in logs.
    bool secure = false;  ///< Came over TLS.

    /// The target up to '?', still encoded.
    std::string_view path() const;
    /// The first query parameter of that name, decoded; nullopt when absent or not decodable.
    std::optional<std::string> query(std::string_view name) const;
};

/// Takes one piece of a long body; empty: that was all; nullopt: it cannot be gone on with, and the connection is cut so that
/// the client knows. Once for each time it was asked for, at once or later, on any thread.
using TakePiece = std::function<void(std::optional<std::string>)>;
/// Is asked for the next piece while the client takes the one before: two are in memory, however long the body is.
using NextPiece = std::function<void(TakePiece)>;

struct Response {
    int status = 200;
    Headers headers;
    std::string body;
    /// What follows `body`; may be empty. Such a response is sent in chunks.
    NextPiece more{};
    /// Its pieces come whenever there are any, for as long as the client stays: nobody waits for them in vain, and a server that is
    /// drained ends it between two of them.
    bool endless = false;
    std::string user{};  ///< Who asked, for the request log; never sent.

    /// Content-Length, Connection, Date and X-Request-Id are the server's business and not set here.
    static Response text(int status, std::string_view contentType, std::string body);
};

}  // namespace midonet::http
