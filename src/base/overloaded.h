#pragma once

namespace midonet {

/// `std::visit(Overloaded{[](A) {}, [](B) {}}, variant)`: forgetting a case does not compile.
template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace midonet
