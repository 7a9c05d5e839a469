#include "base/uuid.h"

#include <sys/random.h>

#include "base/assert.h"

namespace midonet {
namespace {

int hexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

constexpr bool isDashPosition(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

Result<Uuid> Uuid::parse(std::string_view text) {
    if (text.size() != 36) return fail(ErrorCode::Malformed, "'{}' is not a UUID", text);
    std::uint64_t words[2] = {0, 0};
    int digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (isDashPosition(i)) {
            if (text[i] != '-') return fail(ErrorCode::Malformed, "'{}' is not a UUID", text);
            continue;
        }
        const int digit = hexDigit(text[i]);
        if (digit < 0) return fail(ErrorCode::Malformed, "'{}' is not a UUID", text);
        auto& word = words[digits++ / 16];
        word = (word << 4) | static_cast<std::uint64_t>(digit);
    }
    return Uuid{words[0], words[1]};
}

Result<Uuid> Uuid::fromBytes(std::string_view bytes) {
    if (bytes.size() != 16) return fail(ErrorCode::Malformed, "a UUID has 16 bytes, not {}", bytes.size());
    const auto view = asBytes(bytes);
    return Uuid{loadBe64(view.data()), loadBe64(view.data() + 8)};
}

Uuid Uuid::random() {
    std::uint64_t words[2];
    const auto got = getrandom(words, sizeof words, 0);
    MIDONET_ASSERT(got == sizeof words, "16 bytes are below the size getrandom may cut");
    words[0] = (words[0] & ~0xf000ULL) | 0x4000ULL;
    words[1] = (words[1] & ~(0xc000ULL << 48)) | (0x8000ULL << 48);
    return Uuid{words[0], words[1]};
}

std::string Uuid::toString() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    // Where the bytes of each half stand: 8-4-4- and 4-12.
    static constexpr std::size_t kHigh[] = {0, 2, 4, 6, 9, 11, 14, 16}, kLow[] = {19, 21, 24, 26, 28, 30, 32, 34};
    std::string text(36, '-');
    const auto put = [&text](std::size_t place, std::uint64_t byte) {
        text[place] = kDigits[byte >> 4 & 0xf];
        text[place + 1] = kDigits[byte & 0xf];
    };
    for (unsigned i = 0; i < 8; ++i) {
        put(kHigh[i], high_ >> (56 - 8 * i));
        put(kLow[i], low_ >> (56 - 8 * i));
    }
    return text;
}

std::string Uuid::toBytes() const {
    std::string bytes(16, '\0');
    auto* p = reinterpret_cast<std::uint8_t*>(bytes.data());
    storeBe64(p, high_);
    storeBe64(p + 8, low_);
    return bytes;
}

}  // namespace midonet
