// Classes, constructors, const methods, operators, static members.
#include <cstdlib>
class Account {
      public:
	Account(int id, double balance) : id_(id), balance_(balance) { made++; }
	bool withdraw(double amount, const char *note) const;
	Account &operator+=(double amount) { balance_ += amount; return *this; }
	static int made;

      protected:
	int id_;
	double balance_;
};
int Account::made;
__attribute__((noinline)) bool
Account::withdraw(double amount, const char *note) const
{
	double left = balance_ - amount;
	if (left < 0)
		abort();
	return note[0] == 'x';
}
__attribute__((noinline)) static int
run(Account &account, const Account *other)
{
	account += 5;
	bool done = account.withdraw(1000, "rent");
	return done + (other == &account);
}
int
main()
{
	Account a(7, 100.5), b(8, 3);
	return run(a, &b);
}
