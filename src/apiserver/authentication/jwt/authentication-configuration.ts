import { boolean, list, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'

const Issuer = message('io.k8s.apiserver.v1.Issuer', {
  url: omitempty(1, string, 'Who issues the tokens: their `iss`. https only.'),
  discoveryURL: omitempty(2, string, 'Where the issuer describes itself, if not below its URL.'),
  certificateAuthority: omitempty(
    3,
    string,
    'PEM certificates of the authorities that sign the issuer; default: those that the machine trusts.',
  ),
  audiences: omitempty(4, list(string), 'For whom tokens have to be: one of these.'),
  audienceMatchPolicy: omitempty(5, string, '`MatchAny`; needed where there are several audiences.'),
  egressSelectorType: omitempty(6, string, 'By which proxy the issuer is asked. There is none here.'),
})

const ClaimValidationRule = message('io.k8s.apiserver.v1.ClaimValidationRule', {
  claim: omitempty(1, string, 'A claim that has to be there.'),
  requiredValue: omitempty(2, string, 'What it has to say.'),
  expression: omitempty(3, string, 'CEL over `claims` that has to be true.'),
  message: omitempty(4, string, 'What is logged when it is not.'),
})

const PrefixedClaimOrExpression = message('io.k8s.apiserver.v1.PrefixedClaimOrExpression', {
  claim: omitempty(1, string, 'The claim with the value.'),
  prefix: optional(2, string, 'What is put before it; may be empty, and has to be said with a claim.'),
  expression: omitempty(3, string, 'CEL over `claims` that makes the value.'),
})

const ClaimOrExpression = message('io.k8s.apiserver.v1.ClaimOrExpression', {
  claim: omitempty(1, string, 'The claim with the value.'),
  expression: omitempty(2, string, 'CEL over `claims` that makes the value.'),
})

const ExtraMapping = message('io.k8s.apiserver.v1.ExtraMapping', {
  key: omitempty(1, string, 'The key of a further fact: a path with a domain in front, in lower case.'),
  valueExpression: omitempty(2, string, 'CEL over `claims` that makes its values.'),
})

const ClaimMappings = message('io.k8s.apiserver.v1.ClaimMappings', {
  username: required(1, PrefixedClaimOrExpression, 'The name.'),
  groups: required(2, PrefixedClaimOrExpression, 'The groups.'),
  uid: required(3, ClaimOrExpression, 'The uid.'),
  extra: omitempty(4, list(ExtraMapping), 'Further facts.'),
})

const UserValidationRule = message('io.k8s.apiserver.v1.UserValidationRule', {
  expression: omitempty(1, string, 'CEL over `user` that has to be true.'),
  message: omitempty(2, string, 'What is logged when it is not.'),
})

const JwtAuthenticator = message('io.k8s.apiserver.v1.JWTAuthenticator', {
  issuer: required(1, Issuer, 'Who issues the tokens.'),
  claimValidationRules: omitempty(2, list(ClaimValidationRule), 'What has to hold of claims.'),
  claimMappings: required(3, ClaimMappings, 'How claims become a user.'),
  userValidationRules: omitempty(4, list(UserValidationRule), 'What has to hold of that user.'),
})

const AnonymousAuthCondition = message('io.k8s.apiserver.v1.AnonymousAuthCondition', {
  path: required(1, string, 'A path that anybody may ask for.'),
})

const AnonymousAuthConfig = message('io.k8s.apiserver.v1.AnonymousAuthConfig', {
  enabled: required(1, boolean, 'Whether requests without proof are let in.'),
  conditions: omitempty(2, list(AnonymousAuthCondition), 'For which paths; none: for all.'),
})

/** What `--authentication-config` reads (apiserver.config.k8s.io/v1): whose JSON Web Tokens are believed, and who may come without proof. */
export const AuthenticationConfiguration = message('io.k8s.apiserver.v1.AuthenticationConfiguration', {
  jwt: omitempty(1, list(JwtAuthenticator), 'Issuers of tokens.'),
  anonymous: optional(2, AnonymousAuthConfig, 'Who may come without proof; default: as --anonymous-auth says.'),
})

export interface AuthenticationConfiguration extends StoredOf<typeof AuthenticationConfiguration> {}
/** One issuer, and what is made of its tokens. */
export interface JwtAuthenticatorConfig extends StoredOf<typeof JwtAuthenticator> {}
